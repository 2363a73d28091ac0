using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Postern.Tests.OAuth;

/// <summary>What single sentences of the standards ask for, and no longer test shows.</summary>
public sealed class RequirementTests(WalkTown town) : IClassFixture<WalkTown>
{
    private TestServer Server => town.Server;

    [Theory, Rfc(6750, "2.3"), Rfc(9700, "4.3.2"), InlineData("/mcp/echo"), InlineData("/userinfo")]
    public async Task A_token_is_taken_from_the_header_alone(string path)
    {
        var app = path is "/userinfo" ? town.AppOf("site") : App.Web(Server);
        var changes = path is "/userinfo" ? RelyingTown.Identity("openid") : [];
        var token = (await app.LetInAsync(town.Ada, changes)).AccessToken;
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("access_token", token)]);

        using var inAddress = await Server.Http.PostAsync(
            new Uri($"{path}?access_token={token}", UriKind.Relative), null);
        using var inBody = await Server.Http.PostAsync(new Uri(path, UriKind.Relative), form);

        Assert.All([inAddress, inBody], answer => Assert.True(
            answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest, $"{answer.StatusCode}"));
    }

    [Fact, Rfc(9700, "4.12")]
    public async Task A_browser_is_sent_on_without_what_it_posted()
    {
        var question = await town.Ada.AskedAsync(App.Web(Server).Authorize());

        using var answered = await town.Ada.PostAsync(question, "allow");
        using var asked = await Server.NewBrowser().PostAsync(
            new Uri("/authorize", UriKind.Relative),
            new StringContent(
                App.Web(Server).Authorize().Split('?')[1], Encoding.UTF8, "application/x-www-form-urlencoded"));

        Assert.Equal(HttpStatusCode.SeeOther, answered.StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, asked.StatusCode);
    }

    [Fact, Rfc(9068, "2.1"), Rfc(9068, "4")]
    public async Task An_access_token_calls_itself_one_and_is_signed()
    {
        var token = (await App.Bench(Server).AsItselfAsync()).AccessToken;
        var (header, _) = await Jwt.ReadAsync(Server, token);
        var parts = token.Split('.');
        var unsigned = Base64Url.EncodeToString("""{"alg":"none","typ":"at+jwt"}"""u8);

        Assert.Equal(("at+jwt", "ES256"), (Text(header, "typ"), Text(header, "alg")));
        Assert.False(await App.Watch(Server).IsAliveAsync($"{unsigned}.{parts[1]}."));
        Assert.Equal(HttpStatusCode.Unauthorized, await App.Web(Server).CallAsync($"{unsigned}.{parts[1]}."));
    }

    [Theory, Rfc("OpenID Connect Registration", "5"), Rfc("OpenID Connect Core", "8.1")]
    [InlineData("""["https://a.sector.example/cb","https://b.sector.example/cb"]""", true)]
    [InlineData("""["https://b.sector.example/cb","https://a.sector.example/cb","https://c.example/cb"]""", true)]
    [InlineData("""["https://a.sector.example/cb"]""", false)]
    [InlineData("""{"a":1}""", false)]
    [InlineData("no JSON", false)]
    [InlineData("""["https://a.sector.example/c\ud800","https://b.sector.example/cb"]""", false)]
    public async Task Clients_of_several_hosts_are_one_sector_where_it_lists_them_all(string list, bool isGood)
    {
        town.Host.Put("/sector.json", list);

        var reply = await Registered.PostAsync(Server, $$"""
            {"redirect_uris":["https://a.sector.example/cb","https://b.sector.example/cb"],
            "subject_type":"pairwise","sector_identifier_uri":"{{town.Host.At("/sector.json")}}"}
            """);

        Assert.True(isGood == reply.Status is HttpStatusCode.Created, reply.Text);
        Assert.True(isGood || reply.Error is "invalid_client_metadata", reply.Text);
    }

    [Fact, Rfc("OpenID Connect Core", "10.1.1"), Rfc(7591, "2")]
    public async Task A_client_that_registered_where_its_keys_are_may_change_them()
    {
        var (old, young) = (new Signer("old"), new Signer("young"));
        town.Host.Put("/rotating", old.Jwks);
        var reply = await Registered.PostAsync(Server, $$"""
            {"redirect_uris":["https://rotating.example/cb"],"token_endpoint_auth_method":"private_key_jwt",
            "jwks_uri":"{{town.Host.At("/rotating")}}"}
            """);
        var app = new App(Server, reply.Member("client_id")!, "https://rotating.example/cb");
        var first = await app.RedeemAsync((await town.Ada.AllowAsync(app.Authorize())).Code, Proof(app, old));
        TokenTests.Refused(await app.RefreshAsync(first.RefreshToken, Proof(app, young)), "invalid_client");

        town.Host.Put("/rotating", young.Jwks);
        Server.Clock.Advance(TimeSpan.FromSeconds(31));
        var second = await app.RefreshAsync(first.RefreshToken, Proof(app, young));

        Assert.Equal(HttpStatusCode.OK, second.Status);
        TokenTests.Refused(await app.RefreshAsync(second.RefreshToken, Proof(app, old)), "invalid_client");
    }

    private (string Name, string? Value)[] Proof(App app, Signer signer) =>
    [
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", signer.Sign(
            new()
            {
                ["iss"] = app.Id,
                ["sub"] = app.Id,
                ["aud"] = Server.Issuer,
                ["jti"] = Guid.NewGuid().ToString("N"),
                ["exp"] = Server.Clock.GetUtcNow().ToUnixTimeSeconds() + 60,
            },
            null)),
    ];

    [Theory, Rfc("OpenID Connect Core", "11"), Rfc(6749, "1.5")]
    [InlineData("offline_access", true)]
    [InlineData("", true)]
    [InlineData("once", false)]
    public async Task Who_may_come_back_is_a_matter_of_the_client_and_of_the_persons_yes(string how, bool isGiven)
    {
        var app = how is "once" ? new App(Server, "once", "https://once.example/cb") : App.Web(Server);

        var reply = await app.LetInAsync(
            town.Ada, ("scope", $"mcp:read {how.Replace("once", "offline_access", StringComparison.Ordinal)}".Trim()));

        Assert.Equal(isGiven, reply.Json.TryGetProperty("refresh_token", out _));
    }

    [Theory, Rfc("OAuth 2.1", "4.1.2.1"), Rfc("OAuth 2.1", "7.5.1.1")]
    [InlineData("native"), InlineData("web"), InlineData("site")]
    public async Task Neither_a_secret_nor_a_nonce_stands_in_for_the_challenge(string id)
    {
        (string, string?)[] without = [("code_challenge", null), ("code_challenge_method", null), ("nonce", "n")];
        var request = id switch
        {
            "native" => App.Native(Server).Authorize(without),
            "web" => App.Web(Server).Authorize(without),
            _ => town.AppOf(id).Authorize(RelyingTown.Identity("openid", without)),
        };

        var stop = await town.Ada.OpenAsync(request);

        Assert.Equal("invalid_request", new Answer(stop.Left!)["error"]);
    }

    [Theory, Rfc("OAuth 2.1", "4.1.3"), Rfc("OAuth 2.1", "10.2"), InlineData("native"), InlineData("web")]
    public async Task A_code_is_redeemed_by_who_says_not_again_where_it_went(string id)
    {
        var app = id is "native" ? App.Native(Server) : App.Web(Server);
        var code = (await town.Ada.AllowAsync(app.Authorize())).Code;

        var reply = await app.RedeemAsync(code, ("redirect_uri", null));

        Assert.True(reply.Status is HttpStatusCode.OK, reply.Text);
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}
