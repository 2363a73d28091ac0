using System.Net;
using System.Text.Json;

namespace Postern.Tests.OAuth;

/// <summary>Redirect URIs are text: whatever differs from what is registered is somebody else's address.</summary>
public sealed class RedirectUriTests(Town town) : IClassFixture<Town>
{
    private const string Good = "https://web.example/cb", Loopback = "http://127.0.0.1:8765/callback";

    private TestServer Server => town.Server;

    public static TheoryData<string> Impostors =>
    [
        "https://web.example/cb/", "https://web.example/cb?", "https://web.example/cb?x=1", "https://web.example/cb#",
        "https://web.example/cb#x",
        "https://web.example/CB", "https://web.example/c", "https://web.example/cbx", "https://web.example/cb.",
        "https://web.example/cb%20",
        "https://web.example/cb%00", "https://web.example/cb;x", "https://web.example/cb;",
        "https://web.example/cb//", "https://web.example//cb",
        "https://web.example/./cb", "https://web.example/../cb", "https://web.example/x/../cb",
        "https://web.example/cb/../cb",
        "https://web.example/cb/../../evil", "https://web.example/%2e%2e/cb", "https://web.example/cb/%2e%2e/evil",
        "https://web.example/%63b",
        "https://web.example/c%62", "https://web.example/cb%2f", "https://web.example/cb%2F..%2Fevil",
        "https://web.example/cb%252f",
        "https://web.example%2fcb", "https://web.example\\cb", "https://web.example/\\cb",
        "https://web.example\\@evil.example/cb",
        "https://web.example@evil.example/cb", "https://web.example:443@evil.example/cb",
        "https://web.example%40evil.example/cb",
        "https://user@web.example/cb", "https://user:pass@web.example/cb", "https://@web.example/cb",
        "https://web.example.evil.example/cb",
        "https://evil.example/web.example/cb", "https://evil.example?https://web.example/cb",
        "https://evil.example#https://web.example/cb",
        "https://evil-web.example/cb", "https://evilweb.example/cb", "https://xweb.example/cb",
        "https://webxexample/cb", "https://web.examplex/cb",
        "https://web.example./cb", "https://web..example/cb", "https://.web.example/cb", "https://WEB.example/cb",
        "https://Web.Example/cb",
        "HTTPS://web.example/cb", "Https://web.example/cb", "https:/web.example/cb", "https:web.example/cb",
        "https:///web.example/cb",
        "https:\\\\web.example\\cb", "//web.example/cb", "/cb", "cb", "web.example/cb", "http://web.example/cb",
        "ftp://web.example/cb",
        "https://web.example:443/cb", "https://web.example:80/cb", "https://web.example:/cb",
        "https://web.example:0443/cb", "https://web.example:8443/cb",
        " https://web.example/cb", "https://web.example/cb ", "https://web.example/cb\t", "\thttps://web.example/cb",
        "https://web.example/cb\n",
        "https://web.example/cb\r\nLocation: https://evil.example", "https://web.example/cb\0",
        "https://we\tb.example/cb", "https://web.example/*",
        "https://*.example/cb", "https://web.example/cb*", "*", "https://web.example/cb\"",
        "https://web.example/<cb>", "https://wеb.example/cb",
        "https://xn--wb-elc.example/cb", "https://ｗｅｂ.example/cb", "https://web。example/cb",
        "https://web.example/cb?code=stolen",
        "https://web.example/cb?iss=https://evil.example", "https://web.example/cb&code=x",
        "https://web.example/cb,https://evil.example",
        "https://web.example/cb https://evil.example", "javascript:alert(1)",
        "javascript://web.example/cb%0aalert(1)", "data:text/html,x",
        "vbscript:x", "file:///etc/passwd", "blob:https://web.example/cb", "about:blank",
        "view-source:https://web.example/cb", "intent://x",
        "web.example:cb", "null", "undefined", "https://[::1]/cb", "https://127.0.0.1/cb", "https://2130706433/cb",
        "https://0x7f.1/cb",
        "https://[::ffff:127.0.0.1]/cb", "https://peer.example/cb",
    ];

    [Theory, MemberData(nameof(Impostors)), Rfc(9700, "2.1"), Rfc(6749, "3.1.2.3")]
    [Rfc(6749, "10.6"), Rfc(8252, "8.4")]
    public async Task Nothing_but_the_registered_address_is_answered(string impostor)
    {
        await ShownAsync(App.Web(Server).Authorize(("redirect_uri", impostor)));
    }

    public static TheoryData<string> FalseLoopbacks =>
    [
        "http://127.0.0.1:8765/callback/", "http://127.0.0.1:8765/Callback", "http://127.0.0.1:8765/callback?x",
        "http://127.0.0.1:8765/",
        "http://127.0.0.1:8765", "https://127.0.0.1:8765/callback", "http://127.0.0.1:8765@evil.example/callback",
        "http://127.0.0.1@evil.example/callback",
        "http://127.0.0.1:80@evil.example:80/callback", "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1:x/callback", "http://127.0.0.1:/callback",
        "http://127.0.0.1:-1/callback", "http://127.0.0.1:99999/callback", "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:000080/callback",
        "http://127.0.0.1:８０/callback", "http://127.0.0.1:80:81/callback",
        "http://127.0.0.1:80\\@evil.example/callback", "http://127.0.0.1\\callback",
        "http://127.0.0.1:80/../callback", "http://127.0.0.1:80/%63allback", "http://127.0.0.1:80/callback#x",
        "http://127.0.0.1:80//callback",
        "http://localhost:8765/callback", "http://[::1]:8765/callback", "http://127.0.0.2:8765/callback",
        "http://127.1:8765/callback",
        "http://2130706433:8765/callback", "http://0x7f000001:8765/callback", "http://0177.0.0.1:8765/callback",
        "http://127.0.0.1.:8765/callback",
        "http://127.0.0.01:8765/callback", "http://[::ffff:127.0.0.1]:8765/callback", "http://0.0.0.0:8765/callback",
        "HTTP://127.0.0.1:8765/callback",
        "http:/127.0.0.1:8765/callback", "http://user@127.0.0.1:8765/callback", "http://127.0.0.1 :8765/callback",
        "http://127.0.0.1\t:8765/callback",
    ];

    [Theory, MemberData(nameof(FalseLoopbacks)), Rfc(8252, "7.3")]
    public async Task A_loopback_address_may_change_its_port_and_nothing_else(string impostor)
    {
        await ShownAsync(App.Native(Server).Authorize(("redirect_uri", impostor)));
    }

    [Theory, Rfc(8252, "7.3")]
    [InlineData(Loopback)]
    [InlineData("http://127.0.0.1/callback")]
    [InlineData("http://127.0.0.1:1/callback")]
    [InlineData("http://127.0.0.1:65535/callback")]
    [InlineData("http://127.0.0.1:50123/callback")]
    public async Task A_native_app_listens_where_it_finds_a_port(string address)
    {
        var answer = await town.Ada.AllowAsync(App.Native(Server).Authorize(("redirect_uri", address)));

        Assert.StartsWith(address + "?code=", answer.Address.OriginalString, StringComparison.Ordinal);
        var redeemed = await App.Native(Server).RedeemAsync(answer.Code, ("redirect_uri", Loopback));
        TokenTests.Refused(redeemed, "invalid_grant");
    }

    [Theory]
    [InlineData("http://localhost/callback", "http://localhost:3118/callback", true)]
    [InlineData("http://[::1]/callback", "http://[::1]:3118/callback", true)]
    [InlineData("http://127.0.0.1:33418/", "http://127.0.0.1:50000/", true)]
    [InlineData("http://localhost:6274/oauth/callback?a=b", "http://localhost:1/oauth/callback?a=b", true)]
    [InlineData("http://localhost/callback", "http://127.0.0.1:3118/callback", false)]
    [InlineData("http://localhost/callback", "http://localhost.evil.example/callback", false)]
    [InlineData("http://localhost/callback", "http://LOCALHOST:1/callback", false)]
    [InlineData("https://localhost/callback", "https://localhost:1/callback", false)]
    [InlineData("https://127.0.0.1/callback", "https://127.0.0.1:1/callback", false)]
    [InlineData("https://a.b/cb", "https://axb/cb", false)]
    public async Task The_port_is_free_on_loopback_http_alone(string registered, string requested, bool isAnswered)
    {
        var app = await Registered.Async(Server, registered);

        var stop = await town.Ada.OpenAsync(app.Authorize(("redirect_uri", requested)));

        Assert.Equal(isAnswered, stop.Page!.QuerySelector("form.consent") is not null);
        Assert.Equal(isAnswered ? HttpStatusCode.OK : HttpStatusCode.BadRequest, stop.Status);
    }

    public static TheoryData<string> Unregistrable =>
    [
        "", " ", "cb", "/cb", "//a.example/cb", "http://a.example/cb", "https://", "https:///cb",
        "https://a.example/cb#", "https://a.example/cb#x",
        "https://u@a.example/cb", "https://u:p@a.example/cb", "https://a.example/*", "https://*.a.example/cb",
        "https://a.example\\cb",
        "https://a.example/c b", "https://a.example/c\tb", "https://a.example/c\nb", "https://a.example/cb\0",
        "https://á.example/cb",
        "https://a.example/../cb", "https://a.example/./cb", "https://a.example/%2e%2e/cb",
        "https://a.example/%2E/cb", "https://a.example/cb?code=1",
        "https://a.example/cb?x=1&state=2", "https://a.example/cb?iss=3", "https://a.example/cb?%63ode=1",
        "https://a.example/cb?error=e",
        "https://a.example/cb?response=e", "HTTPS://a.example/cb", "http://LOCALHOST/cb", "http://127.0.0.1:99999/cb",
        "http://127.0.0.1@a.example/",
        "http://localhost:80@a.example/", "http://127.0.0.1.a.example/cb", "http://127.0.0.2/cb", "http://0.0.0.0/cb",
        "http://[::]/cb",
        "javascript:alert(1)", "JAVASCRIPT:alert(1)", "javascript://a.example/%0aalert(1)", "data:text/html,x",
        "vbscript:x", "file:///x",
        "blob:https://a.example/x", "about:blank", "ftp://a.example/cb", "ws://a.example/cb", "mailto:a@a.example",
        "tel:1", "myapp:/cb",
        "myapp://cb", "intent://x", "urn:ietf:wg:oauth:2.0:oob", "view-source:https://a.example/",
        "https://a.example/\"onload=x", "https://a.example/<x>",
    ];

    [Theory, MemberData(nameof(Unregistrable)), Rfc(7591, "3.2.2"), Rfc(9700, "4.1.3")]
    [Rfc(6749, "3.1.2")]
    public async Task An_address_that_can_be_misread_or_misused_cannot_be_registered(string uri)
    {
        var reply = await Registered.PostAsync(Server, JsonSerializer.Serialize(new
        {
            redirect_uris = (string[])["https://fine.example/cb", uri],
            token_endpoint_auth_method = "none",
            application_type = "native",
        }));

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_redirect_uri"), (reply.Status, reply.Error));
    }

    [Theory]
    [InlineData("cursor://anysphere.cursor-mcp/oauth/callback")]
    [InlineData("vscode://vscode.github-authentication/did-authenticate")]
    [InlineData("com.example.app:/oauth2redirect")]
    [InlineData("com.example.app://callback")]
    public async Task A_native_app_may_have_a_scheme_of_its_own_and_a_web_app_may_not(string uri)
    {
        var native = await Registered.PostAsync(
            Server, JsonSerializer.Serialize(new { redirect_uris = (string[])[uri] }));
        var web = await Registered.PostAsync(
            Server, JsonSerializer.Serialize(new { redirect_uris = (string[])[uri], application_type = "web" }));

        Assert.Equal(HttpStatusCode.Created, native.Status);
        Assert.Equal("invalid_redirect_uri", web.Error);
    }

    [Fact, Rfc(6749, "3.1.2.3")]
    public async Task Of_several_addresses_one_must_be_named_and_of_one_none_need_be()
    {
        var several = await Registered.Async(Server, "https://one.example/cb", "https://two.example/cb");

        await ShownAsync(several.Authorize(("redirect_uri", null)));
        await ShownAsync(several.Authorize(("redirect_uri", "")));
        var answer = await town.Ada.AllowAsync(App.Web(Server).Authorize(("redirect_uri", null)));

        Assert.StartsWith(Good + "?", answer.Address.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_of_the_registered_address_is_kept_and_appended_to()
    {
        var app = await Registered.Async(Server, "https://query.example/cb?x=1&y=a%20b");

        var answer = await town.Ada.AllowAsync(app.Authorize());

        Assert.StartsWith(
            "https://query.example/cb?x=1&y=a%20b&code=", answer.Address.OriginalString, StringComparison.Ordinal);
    }

    [Theory, Rfc("OpenID Connect Core", "3.1.2.1"), Rfc(9700, "2.1")]
    [InlineData("https://query.example/cb"), InlineData("https://query.example/cb?"),
     InlineData("https://query.example/cb?x=2"), InlineData("https://query.example/cb?x=1&y=2"),
     InlineData("https://query.example/cb?X=1"), InlineData("https://query.example/cb?x=%31")]
    public async Task The_query_of_a_registered_address_is_part_of_it(string other)
    {
        var app = await Registered.Async(Server, "https://query.example/cb?x=1");

        await ShownAsync(app.Authorize(("redirect_uri", other)));
    }

    private async Task ShownAsync(string address)
    {
        using var answer = await Server.Http.GetAsync(new Uri(address, UriKind.Relative));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Null(answer.Headers.Location);
        Assert.DoesNotContain("evil", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
