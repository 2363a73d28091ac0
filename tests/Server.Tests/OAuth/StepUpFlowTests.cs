using System.Net;
using System.Text.RegularExpressions;

namespace Postern.Tests.OAuth;

/// <summary>
/// A challenge that a person must sign in again, and the way through the authorization server that meets it (RFC 9470).
/// </summary>
public sealed partial class StepUpFlowTests : IAsyncLifetime
{
    private TestServer server = null!;
    private Person ada = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(App.Town
            .Replace(
                "{ name: echo, http: http://127.0.0.1:9/mcp }",
                "{ name: echo, http: http://127.0.0.1:9/mcp, require: { max_age: 5m } }",
                StringComparison.Ordinal)
            .Replace(
                "{ name: files, http: http://127.0.0.1:9/mcp }",
                "{ name: files, http: http://127.0.0.1:9/mcp, require: { acr: [phr] } }",
                StringComparison.Ordinal));
        ada = new(server);
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
    }

    [Fact, Rfc(9470, "4"), Rfc(9470, "5"), Rfc(9470, "6.1")]
    [Combines("DPoP", "PAR", "step-up", "code")]
    public async Task A_client_that_asks_for_what_the_challenge_says_gets_in()
    {
        using var app = DpopApp.Native(server);
        var first = await app.LetInAsync(ada);
        var before = first.Claims.GetProperty("auth_time").GetInt64();
        server.Clock.Advance(TimeSpan.FromSeconds(301));
        var refreshed = await app.RefreshAsync(first.RefreshToken);
        using var refused = await app.CallAsync(refreshed.AccessToken);
        var challenge = refused.Headers.WwwAuthenticate.ToString();
        var age = MaxAge().Match(challenge).Groups[1].Value;

        var pushed = await app.PushAsync(("max_age", age));
        var code = (await ada.AllowAsync(app.App.Pushed(pushed))).Code;
        var again = await app.RedeemAsync(code);
        using var let = await app.CallAsync(again.AccessToken);

        Assert.Equal(before, refreshed.Claims.GetProperty("auth_time").GetInt64());
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains("DPoP error=\"insufficient_user_authentication\"", challenge, StringComparison.Ordinal);
        Assert.Equal("300", age);
        Assert.Equal(before + 301, again.Claims.GetProperty("auth_time").GetInt64());
        Assert.Equal(HttpStatusCode.OK, let.StatusCode);
    }

    [Fact, Rfc(9470, "5")]
    public async Task A_client_that_knows_nothing_of_it_gets_in_by_connecting_again()
    {
        var app = App.Native(server);
        var first = await app.LetInAsync(ada);
        server.Clock.Advance(TimeSpan.FromSeconds(301));
        var old = await app.RefreshAsync(first.RefreshToken);

        var again = await app.LetInAsync(ada);

        Assert.Equal(HttpStatusCode.Unauthorized, await app.CallAsync(old.AccessToken));
        Assert.Equal(HttpStatusCode.OK, await app.CallAsync(again.AccessToken));
    }

    [Theory, Rfc(9470, "5")]
    [InlineData("1000", true)]
    [InlineData("100", false)]
    public async Task The_harder_of_both_demands_holds(string asked, bool isSignedInStill)
    {
        var app = App.Web(server);
        await ada.SignInAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(200));
        var question = await ada.AskedAsync(app.Authorize(("max_age", asked)));
        var reply = await app.RedeemAsync((await ada.AnswerAsync(question, "allow")).Left is { } left
            ? new Answer(left).Code
            : "");

        var age = server.Clock.GetUtcNow().ToUnixTimeSeconds() - reply.Claims.GetProperty("auth_time").GetInt64();
        Assert.Equal(isSignedInStill ? 200 : 0, age);
    }

    [Theory, Rfc(9470, "5")]
    [InlineData(null)]
    [InlineData(Acr.Password)]
    [InlineData("urn:unknown")]
    public async Task What_the_person_cannot_meet_is_told_and_no_code_is_made(string? asked)
    {
        var app = App.Web(server);
        var stop = await ada.OpenAsync(
            app.Authorize(("resource", $"{server.Issuer}/mcp/files"), ("acr_values", asked)));

        var answer = new Answer(stop.Left!);
        Assert.Equal("unmet_authentication_requirements", answer["error"]);
        Assert.Null(answer["code"]);
    }

    [Fact, Rfc(9470, "7")]
    public async Task The_metadata_says_which_strengths_there_are()
    {
        var metadata = await Reply.ReadAsync(
            await server.Http.GetAsync("/.well-known/oauth-authorization-server"));

        Assert.Equal(
            Acr.All,
            metadata.Json.GetProperty("acr_values_supported").EnumerateArray().Select(value => value.GetString()));
    }

    [Fact, Rfc(9470, "6.2")]
    public async Task Introspection_tells_strength_and_time()
    {
        var reply = await App.Native(server).LetInAsync(ada);
        var told = await App.Watch(server).IntrospectAsync(reply.AccessToken);

        Assert.Equal(Acr.Password, told.Member("acr"));
        Assert.Equal(
            reply.Claims.GetProperty("auth_time").GetInt64(), told.Json.GetProperty("auth_time").GetInt64());
    }

    [GeneratedRegex("max_age=\"([0-9]+)\"")]
    private static partial Regex MaxAge();
}
