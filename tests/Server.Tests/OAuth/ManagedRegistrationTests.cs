using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Audit;
using Postern.OAuth.Register;

namespace Postern.Tests.OAuth;

/// <summary>RFC 7592: a client that registered itself looks after its registration.</summary>
public sealed class ManagedRegistrationTests : IAsyncLifetime
{
    private const string Redirect = "https://kept.example/cb";

    private TestServer server = null!;
    private Person ada = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(App.Town);
        ada = new(server);
        await ada.SignInAsync();
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
    }

    [Fact, Rfc(7592, "2.1"), Rfc(7592, "3")]
    public async Task A_client_reads_what_it_registered_and_no_secret_a_second_time()
    {
        var made = await MakeAsync();

        var read = await SendAsync(HttpMethod.Get, made);

        Assert.Equal(HttpStatusCode.OK, read.Status);
        Assert.True(read.Headers.CacheControl?.NoStore);
        var expected = JsonNode.Parse(made.Text)!.AsObject();
        Assert.True(expected.Remove("client_secret"));
        Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(read.Text)), read.Text);
    }

    [Fact, Rfc(7592, "2.2")]
    public async Task A_replacement_is_what_counts_and_the_secret_stays()
    {
        var made = await MakeAsync();
        var changed = Body(made, body => body["redirect_uris"] = new JsonArray("https://moved.example/cb"));

        var replaced = await SendAsync(HttpMethod.Put, made, changed);

        Assert.True(replaced.Status is HttpStatusCode.OK, replaced.Text);
        Assert.Equal(made.Member("registration_access_token"), replaced.Member("registration_access_token"));
        var app = new App(server, made.Member("client_id")!, "https://moved.example/cb");
        var code = (await ada.AllowAsync(app.Authorize())).Code;
        var tokens = await app.PostAsync(
            "/token",
            [("grant_type", "authorization_code"), ("code", code), ("code_verifier", app.Verifier)],
            App.Basic(app.Id, made.Member("client_secret")!));
        Assert.Equal(HttpStatusCode.OK, tokens.Status);
        Assert.Contains(AuditKinds.ClientChanged, await KindsAsync());
    }

    [Fact, Rfc(7592, "2.2")]
    public async Task A_client_that_sends_back_what_it_read_stays_as_it_was_and_what_it_leaves_out_is_gone()
    {
        var made = await Registered.PostAsync(server, $$"""
            {"client_name":"Kept","redirect_uris":["{{Redirect}}"],"token_endpoint_auth_method":"none",
            "scope":"mcp:read","jwks":{{new Signer("k").Jwks}},"tos_uri":"https://kept.example/terms"}
            """);
        var read = await SendAsync(HttpMethod.Get, made);

        var same = await SendAsync(HttpMethod.Put, made, Body(read, _ => { }));
        var less = await SendAsync(HttpMethod.Put, made, Body(read, body =>
            Array.ForEach(["scope", "jwks", "tos_uri"], name => body.Remove(name))));

        Assert.True(read.Json.TryGetProperty("jwks", out _), read.Text);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(read.Text), JsonNode.Parse(same.Text)), same.Text);
        Assert.Equal(HttpStatusCode.OK, less.Status);
        Assert.All(["scope", "jwks", "tos_uri"], name => Assert.False(less.Json.TryGetProperty(name, out _), name));
        Assert.Equal(made.Member("client_id"), less.Member("client_id"));
    }

    [Fact, Rfc(7592, "2.2")]
    public async Task Who_agreed_to_the_client_as_it_was_is_asked_again()
    {
        var made = await MakeAsync("none");
        var app = new App(server, made.Member("client_id")!, Redirect);
        var tokens = await app.RedeemAsync((await ada.AllowAsync(app.Authorize())).Code);

        await SendAsync(
            HttpMethod.Put,
            made,
            Body(made, body => body["redirect_uris"] = new JsonArray("https://moved.example/cb")));

        TokenTests.Refused(await app.RefreshAsync(tokens.RefreshToken), "invalid_grant");
    }

    [Fact, Rfc(9126, "4")]
    public async Task What_was_pushed_is_judged_by_what_holds_when_its_browser_comes()
    {
        var made = await MakeAsync("none");
        var app = new App(server, made.Member("client_id")!, Redirect);
        var address = app.Pushed(await app.PushAsync());
        await SendAsync(
            HttpMethod.Put,
            made,
            Body(made, body => body["redirect_uris"] = new JsonArray("https://moved.example/cb")));

        var stop = await ada.OpenAsync(address);

        Assert.Equal((HttpStatusCode.BadRequest, null), (stop.Status, stop.Left));
        Assert.Null(stop.Page!.QuerySelector("form.consent"));
    }

    [Fact, Rfc(7592, "2.2"), Rfc(7592, "3")]
    public async Task Another_way_to_prove_itself_brings_a_secret_or_takes_it_away()
    {
        var made = await MakeAsync("none");

        var secret = await SendAsync(
            HttpMethod.Put, made, Body(made, body => body["token_endpoint_auth_method"] = "client_secret_post"));
        var former = await SendAsync(HttpMethod.Put, made, Body(made, _ => { }));
        var same = await SendAsync(HttpMethod.Put, secret, Body(secret, _ => { }));
        var none = await SendAsync(HttpMethod.Put, secret, Body(made, _ => { }));

        // §3: who had the former token has nothing.
        Assert.Equal(HttpStatusCode.Unauthorized, former.Status);
        Assert.NotEqual(made.Member("registration_access_token"), secret.Member("registration_access_token"));
        Assert.Equal(secret.Member("registration_access_token"), same.Member("registration_access_token"));
        Assert.NotNull(secret.Member("client_secret"));
        Assert.Equal("0", secret.Json.GetProperty("client_secret_expires_at").GetRawText());
        Assert.Equal("none", none.Member("token_endpoint_auth_method"));
        Assert.False(none.Json.TryGetProperty("client_secret_expires_at", out _));
    }

    public static TheoryData<string, string> WrongReplacements => new()
    {
        { """{"client_id":null}""", "invalid_client_metadata" },
        { """{"client_id":"c_anotherclientofsomebod"}""", "invalid_client_metadata" },
        { """{"client_id":["x"]}""", "invalid_client_metadata" },
        { """{"client_secret":"chosen-by-the-client-itself-000000000000000"}""", "invalid_client_metadata" },
        { """{"client_secret":7}""", "invalid_client_metadata" },
        { """{"client_secret":"\ud800"}""", "invalid_client_metadata" },
        { """{"client_id":"\ud800cccccccccccccccccccccccc"}""", "invalid_client_metadata" },
        { """{"registration_access_token":"x"}""", "invalid_client_metadata" },
        { """{"registration_client_uri":"https://x.example"}""", "invalid_client_metadata" },
        { """{"client_secret_expires_at":0}""", "invalid_client_metadata" },
        { """{"client_id_issued_at":0}""", "invalid_client_metadata" },
        { """{"redirect_uris":[]}""", "invalid_redirect_uri" },
        { """{"redirect_uris":["http://far.example/cb"]}""", "invalid_redirect_uri" },
        { """{"grant_types":["client_credentials"]}""", "invalid_client_metadata" },
        { """{"grant_types":["authorization_code","client_credentials"]}""", "invalid_client_metadata" },
        { """{"scope":"admin"}""", "invalid_client_metadata" },
        { """{"software_statement":"a.b.c"}""", "invalid_software_statement" },
        { """{"tls_client_auth_subject_dn":"CN=agent"}""", "invalid_client_metadata" },
        { """{"introspection_signed_response_alg":"none"}""", "invalid_client_metadata" },
    };

    [Theory, MemberData(nameof(WrongReplacements)), Rfc(7592, "2.2")]
    public async Task A_wrong_replacement_is_refused_and_all_stays_as_it_was(string members, string error)
    {
        var made = await MakeAsync();
        // By text: half of a surrogate pair could not be written by a serializer.
        var right = Body(made, body =>
        {
            foreach (var name in JsonDocument.Parse(members).RootElement.EnumerateObject().Select(one => one.Name))
            {
                body.Remove(name);
            }
        });

        var refused = await SendAsync(HttpMethod.Put, made, $"{right[..^1]},{members[1..]}");

        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Equal(error, refused.Member("error"));
        Assert.Equal(
            Redirect, (await SendAsync(HttpMethod.Get, made)).Json.GetProperty("redirect_uris")[0].GetString());
    }

    [Fact, Rfc(7592, "2.3")]
    public async Task A_client_that_removes_itself_is_gone_with_all_it_was_allowed()
    {
        var made = await MakeAsync("none");
        var app = new App(server, made.Member("client_id")!, Redirect);
        var tokens = await app.RedeemAsync((await ada.AllowAsync(app.Authorize())).Code);

        var removed = await SendAsync(HttpMethod.Delete, made);

        Assert.Equal((HttpStatusCode.NoContent, ""), (removed.Status, removed.Text));
        TokenTests.Refused(await app.RefreshAsync(tokens.RefreshToken), "invalid_client");
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Get, made)).Status);
        Assert.Contains(AuditKinds.ClientRemoved, await KindsAsync());
        Assert.Contains(AuditKinds.GrantRevoked, await KindsAsync());
    }

    [Theory, Rfc(7592, "2")]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task Whoever_does_not_prove_it_is_the_client_learns_nothing_and_changes_nothing(string verb)
    {
        var (made, other) = (await MakeAsync(), await MakeAsync());
        var body = Body(made, changed => changed["redirect_uris"] = new JsonArray("https://thief.example/cb"));
        var strangers = new (string Id, string? Token)[]
        {
            (made.Member("client_id")!, null),
            (made.Member("client_id")!, ""),
            (made.Member("client_id")!, "wrong"),
            (made.Member("client_id")!, other.Member("registration_access_token")),
            (made.Member("client_id")!, made.Member("client_secret")),
            ("c_0123456789012345678901", made.Member("registration_access_token")),
            ("app", made.Member("registration_access_token")),
            (new('c', 3000), made.Member("registration_access_token")),
        };

        foreach (var (id, token) in strangers)
        {
            var turned = await SendAsync(new(verb), id, token, verb is "PUT" ? body : null);

            Assert.Equal((HttpStatusCode.Unauthorized, ""), (turned.Status, turned.Text));
            Assert.Equal("Bearer error=\"invalid_token\"", turned.Headers.WwwAuthenticate.ToString());
        }

        Assert.Equal(
            Redirect, (await SendAsync(HttpMethod.Get, made)).Json.GetProperty("redirect_uris")[0].GetString());
    }

    [Fact]
    public async Task Changes_are_counted_like_registrations()
    {
        var made = await MakeAsync("none");
        for (var change = 1; change < Registrations.PerHour; change++)
        {
            Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Put, made, Body(made, _ => { }))).Status);
        }

        Assert.Equal(
            HttpStatusCode.TooManyRequests, (await SendAsync(HttpMethod.Put, made, Body(made, _ => { }))).Status);
    }

    private async Task<Reply> MakeAsync(string method = "client_secret_basic")
    {
        var made = await Registered.PostAsync(
            server,
            $$"""
            {"client_name":"Kept","redirect_uris":["{{Redirect}}"],"token_endpoint_auth_method":"{{method}}"}
            """);
        Assert.True(made.Status is HttpStatusCode.Created, made.Text);
        return made;
    }

    // What a client that read its registration would send back.
    private static string Body(Reply made, Action<JsonObject> change)
    {
        var body = JsonNode.Parse(made.Text)!.AsObject();
        foreach (var name in (string[])
        [
            "registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at",
        ])
        {
            body.Remove(name);
        }

        change(body);
        return body.ToJsonString();
    }

    private Task<Reply> SendAsync(HttpMethod verb, Reply made, string? body = null)
    {
        var uri = made.Member("registration_client_uri")!;
        Assert.StartsWith(server.Issuer + "/register/", uri);
        return SendAsync(verb, uri[(server.Issuer.Length + "/register/".Length)..],
            made.Member("registration_access_token"), body);
    }

    private async Task<Reply> SendAsync(HttpMethod verb, string id, string? token, string? body)
    {
        using var request = new HttpRequestMessage(verb, new Uri($"/register/{id}", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", token is null ? null : $"Bearer {token}");
        request.Content = body is null
            ? null
            : new StringContent(body, MediaTypeHeaderValue.Parse("application/json"));
        using var answer = await server.Http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }

    private async Task<List<string>> KindsAsync() =>
        [.. (await server.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default)).Select(row => row.Kind)];
}
