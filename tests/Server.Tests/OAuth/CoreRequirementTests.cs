using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Postern.Platform;
using Postern.Servers;

namespace Postern.Tests.OAuth;

/// <summary>What single sentences of RFC 6749 and of those around it ask for, and no longer test shows.</summary>
public sealed class CoreRequirementTests(WalkTown town) : IClassFixture<WalkTown>
{
    private TestServer Server => town.Server;

    [Theory, Rfc(7009, "2.1"), Rfc(7662, "2.1")]
    [InlineData("access_token"), InlineData("refresh_token"), InlineData("nonsense")]
    public async Task A_token_is_found_whatever_it_was_taken_for(string hint)
    {
        var (web, watch) = (App.Web(Server), App.Watch(Server));
        var (one, two) = (await web.LetInAsync(town.Ada), await web.LetInAsync(town.Ada));

        var told = await HintedAsync(watch, "/introspect", one.AccessToken, hint);
        await HintedAsync(web, "/revoke", one.AccessToken, hint);
        await HintedAsync(web, "/revoke", two.RefreshToken, hint);

        Assert.True(told.Json.GetProperty("active").GetBoolean());
        Assert.False(await watch.IsAliveAsync(one.AccessToken));
        Assert.False(await watch.IsAliveAsync(two.AccessToken));
        TokenTests.Refused(await web.RefreshAsync(two.RefreshToken), "invalid_grant");
    }

    [Theory, Rfc(9700, "2.6"), InlineData("GET"), InlineData("POST"), InlineData("OPTIONS")]
    public async Task What_is_shown_to_a_person_is_not_for_pages_of_others_to_read(string verb)
    {
        foreach (var path in (string[])[App.Web(Server).Authorize(), "/signin", "/consent", "/me"])
        {
            using var request = new HttpRequestMessage(new(verb), new Uri(path, UriKind.Relative));
            request.Headers.Add("Origin", "https://web.example");
            request.Headers.Add("Access-Control-Request-Method", "GET");

            using var answer = await Server.Http.SendAsync(request);

            Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control-"));
        }
    }

    [Fact, Rfc(7636, "4.4")]
    public async Task A_code_tells_nobody_what_it_is_bound_to()
    {
        var app = App.Web(Server);

        var code = (await town.Ada.AllowAsync(app.Authorize())).Code;

        var inside = Encoding.Latin1.GetString(Base64Url.DecodeFromChars(code.AsSpan("pac_".Length)));
        var digest = Encoding.Latin1.GetString(Base64Url.DecodeFromChars(app.Challenge));
        Assert.All([app.Challenge, digest, "https://web.example/cb", "web"], text =>
        {
            Assert.DoesNotContain(text, inside, StringComparison.Ordinal);
            Assert.DoesNotContain(text, code, StringComparison.Ordinal);
        });
    }

    [Fact, Rfc(9068, "2.2"), Rfc(7519, "4.1.7")]
    public async Task A_signed_token_says_all_that_its_kind_must_and_has_a_name_of_its_own()
    {
        var replies = new List<Reply>();
        for (var i = 0; i < 20; i++)
        {
            replies.Add(await App.Bench(Server).AsItselfAsync());
        }

        replies.Add(await App.Web(Server).LetInAsync(town.Ada));
        Assert.All(replies.Select(reply => reply.Claims), claims =>
        {
            Assert.All(
                ["iss", "aud", "sub", "client_id", "jti"],
                name => Assert.NotEqual("", claims.GetProperty(name).GetString()));
            Assert.Equal(town.Now, claims.GetProperty("iat").GetInt64());
            Assert.Equal(town.Now + 600, claims.GetProperty("exp").GetInt64());
        });
        Assert.Equal(
            replies.Count, replies.Select(reply => reply.Claims.GetProperty("jti").GetString()).Distinct().Count());
    }

    [Fact, Rfc(7515, "4.1.11"), Rfc(9068, "2.1")]
    public async Task A_signed_token_has_the_header_of_its_kind_and_nothing_more()
    {
        var reply = await town.AppOf("site").LetInAsync(town.Ada, RelyingTown.Identity("openid"));

        foreach (var token in (string[])[reply.AccessToken, reply.Member("id_token")!])
        {
            var (header, _) = await Jwt.ReadAsync(Server, token);
            Assert.Equal(
                ["alg", "kid", "typ"], header.EnumerateObject().Select(member => member.Name).Order());
        }
    }

    [Fact, Rfc(7519, "4.1.2"), Rfc(9700, "4.15.1")]
    public async Task No_client_chooses_a_name_that_could_be_a_persons()
    {
        var person = (await App.Web(Server).LetInAsync(town.Ada)).Claims;
        var own = (await App.Bench(Server).AsItselfAsync()).Claims;
        var name = person.GetProperty("sub").GetString()!;

        var reply = await Registered.PostAsync(
            Server, $$"""{"client_id":"{{name}}","redirect_uris":["https://self.example/cb"]}""");

        Assert.StartsWith("us_", name, StringComparison.Ordinal);
        Assert.StartsWith("c_", reply.Member("client_id")!, StringComparison.Ordinal);
        Assert.NotEqual(name, person.GetProperty("client_id").GetString());
        // What a client is given for itself says so.
        Assert.Equal("bench", own.GetProperty("client_id").GetString());
        Assert.Equal("bench", own.GetProperty("sub").GetString());
    }

    [Fact, Rfc(9068, "2.2.3")]
    public async Task A_token_names_no_scope_that_means_nothing_to_its_resource()
    {
        var reply = await town.AppOf("site").LetInAsync(
            town.Ada, ("scope", "openid email mcp:read offline_access"));

        Assert.Equal("mcp:read", reply.Claims.GetProperty("scope").GetString());
    }

    [Fact, Rfc(6749, "3.3")]
    public async Task Who_names_no_scope_gets_what_the_server_has_and_is_told()
    {
        var reply = await App.Web(Server).LetInAsync(town.Ada, ("scope", null));

        Assert.Equal("mcp:read mcp:write", reply.Claims.GetProperty("scope").GetString());
        Assert.Contains("mcp:read mcp:write", reply.Scope, StringComparison.Ordinal);
    }

    [Theory, Rfc(6749, "3.1.2.2"), Rfc(6749, "4.4"), Rfc(9700, "2.6")]
    [InlineData("grant_types: [authorization_code]", "`redirect_uris` is missing")]
    [InlineData("redirect_uris: ['http://a.example/cb']", "http is for loopback")]
    [InlineData("redirect_uris: ['https://a.example/cb#x']", "without fragment")]
    [InlineData("grant_types: [client_credentials]", "cannot use client_credentials")]
    [InlineData("grant_types: [password]", "is no grant type")]
    [InlineData("grant_types: [implicit]", "is no grant type")]
    public async Task A_client_of_the_configuration_that_would_be_unsafe_stops_the_start(string members, string why)
    {
        var refused = await Assert.ThrowsAsync<SetupException>(
            () => TestServer.StartAsync($"clients: [{{ client_id: a, {members} }}]"));

        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Fact, Rfc(9068, "2.2.1")]
    public async Task When_and_how_a_person_signed_in_is_the_same_in_all_tokens_of_one_answer()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var web = App.Web(server);
        var first = await web.LetInAsync(ada);
        server.Clock.Advance(TimeSpan.FromMinutes(5));

        var another = await web.LetInAsync(ada, ("prompt", "login"));
        var refreshed = await web.RefreshAsync(first.RefreshToken);
        var exchanged = await web.PostAsync("/token", [
            ("grant_type", Walker.Exchange),
            ("subject_token", refreshed.AccessToken),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("client_id", "web"),
            ("client_secret", App.WebSecret)]);

        Assert.NotEqual(SignIn(first), SignIn(another));
        Assert.Equal(SignIn(first), SignIn(refreshed));
        Assert.Equal("unauthorized_client", exchanged.Error);

        static (long, string?) SignIn(Reply reply) =>
            (reply.Claims.GetProperty("auth_time").GetInt64(), reply.Claims.GetProperty("acr").GetString());
    }

    [Theory, Rfc(6750, "3")]
    [InlineData("/mcp/echo", null), InlineData("/mcp/echo", "Bearer a.b.c"), InlineData("/mcp/echo", "Bearer")]
    [InlineData("/userinfo", null), InlineData("/userinfo", "Bearer a.b.c"), InlineData("/userinfo", "Bearer")]
    [InlineData("/register/c_0123456789012345678901", null)]
    public async Task A_challenge_names_its_scheme_and_says_each_thing_once(string path, string? authorization)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", authorization);

        using var answer = await Server.Http.SendAsync(request);

        var challenge = string.Join(", ", answer.Headers.GetValues("WWW-Authenticate"));
        Assert.StartsWith("Bearer ", challenge, StringComparison.Ordinal);
        var said = Regex.Matches(challenge.Split(", DPoP ")[0], @"(\w+)=""([^""]*)""");
        Assert.NotEmpty(said);
        Assert.Equal(said.Count, said.Select(one => one.Groups[1].Value).Distinct().Count());
        Assert.All(said, one => Assert.DoesNotContain(one.Groups[2].Value, c => c is < ' ' or > '~' or '\\'));
    }

    [Fact, Rfc(8414, "3.2"), Rfc(9728, "3.2")]
    public async Task What_there_is_none_of_is_not_in_the_metadata()
    {
        await using var empty = await TestServer.StartAsync("demo: false");
        await using var idle = await TestServer.StartAsync(App.Town);
        var book = idle.Get<ServerBook>();
        await book.KeepCatalogueAsync(book.Find(TenantId.Default, "echo")!, new([], idle.Clock.GetUtcNow()));

        var server = await DocumentAsync(empty, "/.well-known/oauth-authorization-server");
        var resource = await DocumentAsync(idle, "/.well-known/oauth-protected-resource/mcp/echo");

        Assert.All([server, resource], document => Assert.DoesNotContain(
            document.EnumerateObject(),
            member => member.Value.ValueKind is JsonValueKind.Null
                || (member.Value.ValueKind is JsonValueKind.Array && member.Value.GetArrayLength() is 0)));
    }

    [Fact, Rfc(6749, "5.1")]
    public async Task No_cache_of_any_age_keeps_a_token()
    {
        var own = await App.Bench(Server).AsItselfAsync();
        var web = App.Web(Server);
        var person = await web.LetInAsync(town.Ada);
        var refreshed = await web.RefreshAsync(person.RefreshToken);

        Assert.All([own, person, refreshed], reply =>
        {
            Assert.Equal("no-store", reply.Headers.CacheControl!.ToString());
            Assert.Equal("no-cache", reply.Headers.Pragma.ToString());
        });
    }

    private static Task<Reply> HintedAsync(App app, string path, string token, string hint) => app.PostAsync(
        path,
        [("token", token), ("token_type_hint", hint), ("client_id", app.Id), ("client_secret", app.Secret)]);

    private static async Task<JsonElement> DocumentAsync(TestServer server, string path) =>
        JsonElement.Parse(await server.Http.GetStringAsync(new Uri(path, UriKind.Relative)));
}
