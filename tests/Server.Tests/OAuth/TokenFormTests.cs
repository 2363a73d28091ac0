using System.Buffers.Text;
using System.IO.Compression;
using System.Net;
using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Servers;

namespace Postern.Tests.OAuth;

/// <summary>
/// What the access tokens of a server are like: how long they live, what they say, where they are listed.
/// </summary>
public sealed class TokenFormTests
{
    private const string StatusList = "Token Status List";

    private static readonly string Yaml = App.Town
        .Replace(
            "- { name: echo, http: http://127.0.0.1:9/mcp }",
            "- { name: echo, http: http://127.0.0.1:9/mcp, token: { lifetime: 2m, format: opaque } }",
            StringComparison.Ordinal)
        .Replace("actor: service", "actor: service\n    introspects: [echo]", StringComparison.Ordinal)
        .Replace(
            "- { name: files, http: http://127.0.0.1:9/mcp }",
            "- { name: files, http: http://127.0.0.1:9/mcp, token: { status_list: true } }",
            StringComparison.Ordinal);

    [Theory, OnBoth, Rfc(6749, "1.4"), Rfc(7662, "2.2")]
    [Combines("secret", "code", "opaque")]
    [Combines("exchange", "opaque")]
    public async Task A_reference_says_nothing_and_is_good_for_all_that_a_token_is(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        using var ada = new Person(server);
        var (web, watch) = (App.Web(server), App.Watch(server));

        var reply = await web.LetInAsync(ada);
        var told = await watch.IntrospectAsync(reply.AccessToken);

        Assert.Matches("^pat_[A-Za-z0-9_-]{64}$", reply.AccessToken);
        Assert.Equal(120, reply.Json.GetProperty("expires_in").GetInt64());
        Assert.True(told.Json.GetProperty("active").GetBoolean());
        Assert.Equal("web", told.Member("client_id"));
        Assert.Equal($"{server.Issuer}/mcp/echo", told.Member("aud"));
        Assert.Equal("mcp:read mcp:write", told.Member("scope"));
        Assert.Equal(
            server.Clock.GetUtcNow().ToUnixTimeSeconds() + 120, told.Json.GetProperty("exp").GetInt64());
        Assert.NotEqual(HttpStatusCode.Unauthorized, await web.CallAsync(reply.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await web.CallAsync(reply.AccessToken, "files"));
        Assert.False(await App.Peer(server).IsAliveAsync(reply.AccessToken));

        var exchanged = await web.PostAsync("/token", [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", reply.AccessToken),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("client_id", "swap"),
            ("client_secret", App.SwapSecret)]);
        Assert.StartsWith("pat_", exchanged.AccessToken, StringComparison.Ordinal);
        Assert.True(await watch.IsAliveAsync(exchanged.AccessToken));

        server.Clock.Advance(TimeSpan.FromSeconds(121));
        Assert.False(await watch.IsAliveAsync(reply.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await web.CallAsync(reply.AccessToken));
    }

    [Fact]
    public async Task A_reference_ends_alone_or_with_its_grant_and_outlives_a_restart()
    {
        await using var first = await TestServer.StartAsync(Yaml);
        using var ada = new Person(first);
        var (one, two, three) = (
            (await App.Web(first).LetInAsync(ada)).AccessToken,
            await App.Peer(first).LetInAsync(ada),
            (await App.Web(first).LetInAsync(ada)).AccessToken);
        await App.Web(first).RevokeAsync(one);
        await App.Peer(first).RevokeAsync(two.RefreshToken);
        await first.StopAsync();
        await using var second = await TestServer.StartAsync(Yaml, like: first);

        Assert.False(await App.Watch(second).IsAliveAsync(one));
        Assert.False(await App.Watch(second).IsAliveAsync(two.AccessToken));
        Assert.True(await App.Watch(second).IsAliveAsync(three));
    }

    [Theory, OnBoth]
    public async Task A_token_that_cannot_be_kept_uses_nothing_up(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        using var ada = new Person(server);
        var web = App.Web(server);
        var code = (await ada.LetInAsync(web.Authorize())).Code;

        await server.Db.WriteAsync(async unit => await unit.RunAsync(
            $"alter table reference_tokens rename to away"));
        var failed = await web.RedeemAsync(code);
        await server.Db.WriteAsync(async unit => await unit.RunAsync(
            $"alter table away rename to reference_tokens"));
        var reply = await web.RedeemAsync(code);

        Assert.Equal(HttpStatusCode.InternalServerError, failed.Status);
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.True(await App.Watch(server).IsAliveAsync(reply.AccessToken));
    }

    [Fact, Rfc(9700, "4.9.1"), Rfc(6819, "5.1.4.1.3")]
    public async Task The_database_knows_no_reference_and_a_guess_costs_it_nothing()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var ada = new Person(server);
        var token = (await App.Web(server).LetInAsync(ada)).AccessToken;
        var rows = await server.Db.AllAsync(
            $"select id, claims from reference_tokens", row => row.GetString(0) + row.GetString(1), default);

        Assert.Equal(new Secret(token).Hash(), Assert.Single(rows)[..43]);
        Assert.DoesNotContain(token[4..], rows[0]);
        Assert.DoesNotContain(server.Log.All, line => line.Contains(token[4..], StringComparison.Ordinal));

        // Known by its hash as if it had been made; without the MAC it is nothing all the same.
        var forged = "pat_" + new string('A', 64);
        await server.Db.WriteAsync(async unit => await unit.RunAsync(
            $"update reference_tokens set id = {new Secret(forged).Hash()}"));
        Assert.False(await App.Watch(server).IsAliveAsync(forged));
        string[] others =
            [token[..^1], token + "A", token.ToUpperInvariant(), token[4..], "pat_", token + "=", " " + token];
        foreach (var other in others)
        {
            Assert.False(await App.Watch(server).IsAliveAsync(other));
        }
    }

    [Fact, Rfc(9449, "7.1")]
    [Combines("DPoP", "opaque")]
    public async Task A_bound_reference_opens_nothing_without_its_proof()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var ada = new Person(server);
        using var bound = DpopApp.Web(server);
        using var thief = bound.WithAnotherKey();
        var token = (await bound.LetInAsync(ada)).AccessToken;

        using var good = await bound.CallAsync(token);
        using var stolen = await thief.CallAsync(token);

        Assert.StartsWith("pat_", token, StringComparison.Ordinal);
        Assert.NotEqual(HttpStatusCode.Unauthorized, good.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, stolen.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await App.Web(server).CallAsync(token));
        var told = await App.Watch(server).IntrospectAsync(token);
        Assert.Equal(bound.Key.Thumbprint, told.Json.GetProperty("cnf").GetProperty("jkt").GetString());
    }

    [Fact]
    [Combines("tenant", "opaque")]
    public async Task A_reference_of_one_tenant_is_nothing_at_another()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        using var acme = await Tenants.Estate.AddAsync(server, "acme");
        using var ada = new Person(server);
        var token = (await App.Web(server).LetInAsync(ada)).AccessToken;
        await server.Db.WriteAsync(async unit => await unit.RunAsync(
            $"update reference_tokens set tenant = {acme.Tenant.Id.Value}"));

        Assert.Equal(HttpStatusCode.Unauthorized, await acme.App.CallAsync(token));
        Assert.Null(await server.Get<ReferenceTokens>().ClaimsAsync(acme.Tenant.Id, token, default));
    }

    [Fact]
    public async Task A_server_that_the_API_adds_has_its_own_form_too()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        var by = new AuditEntry { Tenant = TenantId.Default, Kind = AuditKinds.ServerAdded };
        await server.Get<ServerBook>().AddAsync(
            TenantId.Default,
            new(
                "wiki",
                null,
                "https://wiki.example/mcp",
                new Dictionary<string, string>(),
                Token: new("5m", "opaque")),
            by);
        using var ada = new Person(server);

        var reply = await App.Web(server).LetInAsync(ada, ("resource", $"{server.Issuer}/mcp/wiki"));

        Assert.StartsWith("pat_", reply.AccessToken, StringComparison.Ordinal);
        Assert.Equal(300, reply.Json.GetProperty("expires_in").GetInt64());
        Assert.NotEqual(HttpStatusCode.Unauthorized, await App.Web(server).CallAsync(reply.AccessToken, "wiki"));
    }

    [Theory, OnBoth, Rfc(StatusList, "5.1"), Rfc(StatusList, "4.1"), Rfc(StatusList, "6.1"), Rfc(StatusList, "8.1")]
    public async Task The_list_has_a_bit_for_each_token_that_ended_before_its_time(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        using var ada = new Person(server);
        var (web, peer, native) = (App.Web(server), App.Peer(server), App.Native(server));
        var files = ("resource", (string?)$"{server.Issuer}/mcp/files");
        Reply[] tokens =
            [await web.LetInAsync(ada, files), await peer.LetInAsync(ada, files), await native.LetInAsync(ada, files)];
        var places = tokens.Select(reply => reply.Claims.GetProperty("status").GetProperty("status_list")).ToList();
        var before = await ListAsync(server);

        await web.RevokeAsync(tokens[0].RefreshToken);
        await peer.RevokeAsync(tokens[1].AccessToken);
        server.Clock.Advance(TimeSpan.FromSeconds(10));
        var after = await ListAsync(server);

        var uri = $"{server.Issuer}/statuslists/0";
        Assert.All(places, place => Assert.Equal(uri, place.GetProperty("uri").GetString()));
        var indexes = places.ConvertAll(place => place.GetProperty("idx").GetInt32());
        Assert.Equal([0, 0, 0], indexes.Select(index => StatusOf(before, index)));
        Assert.Equal([1, 1, 0], indexes.Select(index => StatusOf(after, index)));
        Assert.Equal(2, after.Sum(part => System.Numerics.BitOperations.PopCount(part)));
        Assert.Equal(3, indexes.Distinct().Count());

        server.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(0, (await ListAsync(server)).Sum(part => System.Numerics.BitOperations.PopCount(part)));
    }

    [Fact, Rfc(StatusList, "5.1"), Rfc(StatusList, "8.1"), Rfc(StatusList, "8.4")]
    public async Task A_list_says_what_it_is_and_for_how_long()
    {
        await using var server = await TestServer.StartAsync(Yaml);

        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/statuslists/0", UriKind.Relative));
        request.Headers.Add("Origin", "https://elsewhere.example");
        using var answer = await server.Http.SendAsync(request);
        var (header, claims) = await Jwt.ReadAsync(server, await answer.Content.ReadAsStringAsync());

        Assert.Equal("*", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Equal("application/statuslist+jwt", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("public, max-age=60", answer.Headers.CacheControl!.ToString());
        Assert.Equal("statuslist+jwt", header.GetProperty("typ").GetString());
        Assert.Equal($"{server.Issuer}/statuslists/0", claims.GetProperty("sub").GetString());
        Assert.Equal(60, claims.GetProperty("ttl").GetInt32());
        Assert.Equal(server.Clock.GetUtcNow().ToUnixTimeSeconds(), claims.GetProperty("iat").GetInt64());
        Assert.Equal(2, claims.GetProperty("status_list").GetProperty("bits").GetInt32());
        Assert.Equal(HttpStatusCode.NotImplemented, await StatusAsync("/statuslists/0?time=1"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("/statuslists/64"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("/statuslists/-1"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("/statuslists/x"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("/statuslists/00"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("/statuslists/+0"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("/statuslists/%30%30"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("/statuslists/99999999999"));
        Assert.Equal(
            HttpStatusCode.Unauthorized, await App.Web(server).CallAsync(await answer.Content.ReadAsStringAsync()));

        async Task<HttpStatusCode> StatusAsync(string path)
        {
            using var other = await server.Http.GetAsync(new Uri(path, UriKind.Relative));
            return other.StatusCode;
        }
    }

    [Theory, OnBoth, Rfc(StatusList, "13.2")]
    public async Task Fifty_tokens_at_once_stand_at_fifty_places(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        using var ada = new Person(server);
        await App.Web(server).LetInAsync(ada, ("resource", $"{server.Issuer}/mcp/files"));
        var grant = (await Grants.OfAsync(server, Person.Ada)).Single();
        var places = server.Get<StatusPlaces>();

        var taken = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            server.Db.WriteAsync(unit =>
                places.TakeAsync(unit, grant, $"token-{i}", [], server.Clock.GetUtcNow().AddMinutes(5)))));

        Assert.Equal(50, taken.Distinct().Count());
        Assert.NotEqual(taken.OrderBy(place => place.Index), taken);
    }

    [Theory, OnBoth, Rfc(StatusList, "4.1"), Rfc(StatusList, "7.1")]
    public async Task A_token_of_somebody_who_is_off_is_suspended_until_they_are_on_and_one_that_ended_is_not(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        using var ada = new Person(server);
        var files = ("resource", (string?)$"{server.Issuer}/mcp/files");
        Reply[] tokens =
        [
            await App.Web(server).LetInAsync(ada, files),
            await App.Web(server).LetInAsync(ada, files),
            await App.Native(server).LetInAsync(ada, files),
        ];
        var indexes = tokens.Select(reply => reply.Claims.GetProperty("status").GetProperty("status_list")
            .GetProperty("idx").GetInt32()).ToList();

        await App.Web(server).RevokeAsync(tokens[0].AccessToken);
        await Borough.OffAsync(server, PartyKind.Client, "web");
        server.Clock.Advance(TimeSpan.FromSeconds(10));
        var off = await ListAsync(server);
        await App.Web(server).RevokeAsync(tokens[1].RefreshToken);
        await Borough.OnAsync(server, PartyKind.Client, "web");
        server.Clock.Advance(TimeSpan.FromSeconds(10));
        var back = await ListAsync(server);

        Assert.Equal([1, 2, 0], indexes.Select(index => StatusOf(off, index)));
        Assert.Equal([1, 0, 0], indexes.Select(index => StatusOf(back, index)));
        Assert.Equal(2, off.Sum(part => System.Numerics.BitOperations.PopCount(part)));
    }

    [Fact, Rfc(StatusList, "4.1")]
    public async Task A_place_that_was_given_before_there_were_two_bits_is_where_it_was()
    {
        await using var server = await TestServer.StartAsync(Yaml);
        var until = server.Clock.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds();
        foreach (var place in (long[])[0, 1, 3, 4, 77, StatusPlaces.Size - 1])
        {
            await server.Db.WriteAsync(async unit => await unit.RunAsync(
                $"""
                insert into token_statuses (tenant, list, place, token_id, grant_id, expires_at)
                values ({TenantId.Default.Value}, {0L}, {place}, {$"token-{place}"}, {"none"}, {until})
                """));
            await server.Db.WriteAsync(async unit => await unit.RunAsync(
                $"""
                insert into revoked_tokens (tenant, token_id, expires_at, resource)
                values ({TenantId.Default.Value}, {$"token-{place}"}, {until}, {""})
                """));
        }

        var list = await ListAsync(server);

        Assert.Equal(
            [0, 1, 3, 4, 77, StatusPlaces.Size - 1],
            Enumerable.Range(0, StatusPlaces.Size).Where(place => StatusOf(list, place) is not 0));
        Assert.All([0, 1, 3, 4, 77, StatusPlaces.Size - 1], place => Assert.Equal(1, StatusOf(list, place)));
    }

    // As whoever reads a list does: by the number of bits that it names itself.
    private static int StatusOf(byte[] list, int index) => list[index * 2 / 8] >> (index * 2 % 8) & 3;

    private static async Task<byte[]> ListAsync(TestServer server)
    {
        var text = await server.Http.GetStringAsync(new Uri("/statuslists/0", UriKind.Relative));
        var (_, claims) = await Jwt.ReadAsync(server, text);
        var packed = Base64Url.DecodeFromChars(claims.GetProperty("status_list").GetProperty("lst").GetString());
        await using var inflate = new ZLibStream(new MemoryStream(packed), CompressionMode.Decompress);
        using var list = new MemoryStream();
        await inflate.CopyToAsync(list);
        Assert.Equal(1 << 15, list.Length);
        return list.ToArray();
    }
}
