using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace Postern.Tests.OAuth;

/// <summary>How answers travel: as an address, as a form, signed (Form Post Response Mode, JARM).</summary>
public sealed class ResponseModeTests(Town town) : IClassFixture<Town>
{
    private TestServer Server => town.Server;

    [Theory, InlineData("jwt"), InlineData("query.jwt"), InlineData("form_post.jwt")]
    [Rfc("JARM", "2.1"), Rfc("JARM", "2.3"), Rfc("JARM", "2.4")]
    [Rfc("FAPI 2.0 Message Signing", "5.4.1")]
    [Combines("JARM", "code")]
    public async Task A_signed_answer_is_one_JWT_of_this_server_for_this_client(string mode)
    {
        var app = App.Web(Server);

        var yes = await SignedAsync(await AnswerAsync(app.Authorize(("response_mode", mode)), "allow"), mode);
        var no = await SignedAsync(await AnswerAsync(app.Authorize(("response_mode", mode)), "deny"), mode);
        var error = await SignedAsync(
            await town.Ada.OpenAsync(app.Authorize(("response_mode", mode), ("scope", "admin"))), mode);

        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(yes.GetProperty("code").GetString()!)).Status);
        Assert.Equal("access_denied", no.GetProperty("error").GetString());
        Assert.Equal("invalid_scope", error.GetProperty("error").GetString());
        Assert.All([yes, no, error], claims =>
        {
            Assert.Equal(Server.Issuer, claims.GetProperty("iss").GetString());
            Assert.Equal("web", claims.GetProperty("aud").GetString());
            Assert.Equal("the state + of it", claims.GetProperty("state").GetString());
            Assert.InRange(
                claims.GetProperty("exp").GetInt64() - Server.Clock.GetUtcNow().ToUnixTimeSeconds(), 1, 600);
        });
    }

    [Fact, Rfc("Form Post Response Mode", "2"), Rfc(9207, "2")]
    [Combines("form_post", "code")]
    public async Task A_posted_answer_is_a_page_that_leads_to_the_proven_address_alone()
    {
        const string hostile = "\"><script>alert(1)</script>&amp;'";
        var app = App.Web(Server);
        var question = await town.Ada.AskedAsync(app.Authorize(("response_mode", "form_post"), ("state", hostile)));
        var next = (await town.Ada.PostAsync(question, "allow")).Headers.Location!.OriginalString;

        using var answer = await town.Ada.GetAsync(next);
        var html = await answer.Content.ReadAsStringAsync();
        var form = FormOf(new HtmlParser().ParseDocument(html));

        Assert.Equal("https://web.example/cb", form.Action);
        Assert.Equal("post", form.Method);
        Assert.Equal(["code", "iss", "state"], Fields(form).Keys.Order());
        Assert.Equal((hostile, Server.Issuer), (Fields(form)["state"], Fields(form)["iss"]));
        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(Fields(form)["code"])).Status);
        Assert.DoesNotContain("<script>alert", html, StringComparison.Ordinal);
        Assert.NotNull(form.QuerySelector("button"));
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.EndsWith("form-action https://web.example:443", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
    }

    [Fact, Rfc("Form Post Response Mode", "2")]
    public async Task An_error_is_posted_too_and_where_nobody_vouches_a_person_sends_it()
    {
        var stranger = await Registered.Async(Server, "https://stranger.example/cb");

        var own = await town.Ada.OpenAsync(
            App.Web(Server).Authorize(("response_mode", "form_post"), ("scope", "admin")));
        var other = await town.Ada.OpenAsync(stranger.Authorize(("response_mode", "form_post"), ("scope", "admin")));

        Assert.Equal("invalid_scope", Fields(FormOf(own.Page!))["error"]);
        Assert.NotNull(own.Page!.QuerySelector("script[src*='/post.']"));
        Assert.Equal("https://stranger.example/cb", FormOf(other.Page!).Action);
        Assert.Null(other.Page!.QuerySelector("script"));
    }

    [Theory, Rfc("FAPI 2.0 Message Signing", "5.3.3"), Rfc("FAPI 2.0 Message Signing", "5.4.1")]
    [InlineData(null, false), InlineData("query", false), InlineData("form_post", false)]
    [InlineData("jwt", true), InlineData("query.jwt", true), InlineData("form_post.jwt", false)]
    public async Task A_client_is_answered_in_the_ways_it_registered_for_alone(string? mode, bool isTaken)
    {
        var made = await Registered.PostAsync(Server, """
            {"redirect_uris":["https://modes.example/cb"],"token_endpoint_auth_method":"none","response_modes":["jwt"]}
            """);
        var app = new App(Server, made.Member("client_id")!, "https://modes.example/cb");

        var pushed = await app.PushAsync(("response_mode", mode));

        Assert.Equal("jwt", Assert.Single(made.Json.GetProperty("response_modes").EnumerateArray()).GetString());
        Assert.Equal(isTaken ? null : "invalid_request", pushed.Error);
    }

    [Fact]
    public async Task An_app_that_is_no_place_on_the_web_is_posted_nothing()
    {
        var app = await Registered.Async(Server, "com.example.app:/cb");

        var reply = await app.PushAsync(("response_mode", "form_post"));
        var query = await app.PushAsync(("response_mode", "jwt"));

        Assert.Equal("invalid_request", reply.Error);
        Assert.Equal(HttpStatusCode.Created, query.Status);
    }

    private async Task<Stop> AnswerAsync(string address, string decision) =>
        await town.Ada.AnswerAsync(await town.Ada.AskedAsync(address), decision);

    private async Task<JsonElement> SignedAsync(Stop stop, string mode)
    {
        var isForm = mode.StartsWith("form", StringComparison.Ordinal);
        var fields = isForm ? Fields(FormOf(stop.Page!)) : null;
        var token = isForm ? fields!["response"] : new Answer(stop.Left!)["response"]!;
        // Nothing stands beside it that could be believed in its place.
        Assert.Equal(["response"], isForm
            ? fields!.Keys
            : System.Web.HttpUtility.ParseQueryString(stop.Left!.Query).AllKeys.OfType<string>());

        var parts = token.Split('.');
        var header = JsonElement.Parse(Base64Url.DecodeFromChars(parts[0]));
        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        var jwks = JsonElement.Parse(await Server.Http.GetStringAsync(new Uri("/jwks", UriKind.Relative)));
        var jwk = jwks.GetProperty("keys").EnumerateArray()
            .Single(key => key.GetProperty("kid").GetString() == header.GetProperty("kid").GetString());
        using var key = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new() { X = Bytes(jwk, "x"), Y = Bytes(jwk, "y") },
        });
        Assert.True(key.VerifyData(
            Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"),
            Base64Url.DecodeFromChars(parts[2]),
            HashAlgorithmName.SHA256));
        return JsonElement.Parse(Base64Url.DecodeFromChars(parts[1]));
    }

    private static byte[] Bytes(JsonElement jwk, string name) =>
        Base64Url.DecodeFromChars(jwk.GetProperty(name).GetString());

    private static IHtmlFormElement FormOf(IHtmlDocument page) =>
        (IHtmlFormElement)page.QuerySelector("form.post-back")!;

    private static Dictionary<string, string> Fields(IHtmlFormElement form) =>
        form.QuerySelectorAll("input")
            .OfType<IHtmlInputElement>()
            .ToDictionary(input => input.Name!, input => input.Value);
}
