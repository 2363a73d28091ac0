using System.Net;
using Postern.OAuth.Token;

namespace Postern.Tests.OAuth;

/// <summary>
/// draft-ietf-oauth-deferred-token-response: a client that acts by itself for a person who must agree.
/// </summary>
public sealed class DeferredTests : IAsyncLifetime
{
    private const string Draft = "Deferred Token Response", Long = "long", Twice = "twice";

    private readonly DocumentHost host = new();
    private TestServer server = null!;
    private Person ada = null!;
    private App night = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(host.Settings + Butler.Town(host.At("/told")).Replace(
            "  - client_id: notary",
            $"""
              - client_id: noon
                client_secret: {Butler.NightSecret}
                grant_types: [client_credentials, refresh_token, "{Butler.Deferred}"]
                resources: [echo]
                approval: {Person.Ada}
              - client_id: notary
            """,
            StringComparison.Ordinal));
        ada = new(server);
        await ada.SignInAsync();
        night = new(server, "night", "", Butler.NightSecret);
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
        await host.DisposeAsync();
    }

    [Fact, Rfc(Draft, "5")]
    public async Task A_client_that_can_wait_gets_what_the_person_allows()
    {
        var put = await AskAsync();
        var code = put.Member("deferral_code")!;
        var early = await PollAsync(code);
        await AnswerAsync("allow");
        var reply = await PollAsync(code);

        Gadget.Refused(put, "authorization_pending");
        Assert.Equal("no-store", put.Headers.CacheControl!.ToString());
        Assert.Equal((long)Deferrals.Lifetime.TotalSeconds, put.Json.GetProperty("expires_in").GetInt64());
        Assert.Equal(5, put.Json.GetProperty("interval").GetInt64());
        Assert.Matches("^pdf_[0-9a-f]{32}\\.[A-Za-z0-9_-]{43}$", code);
        Gadget.Refused(early, "authorization_pending");
        Assert.Null(early.Member("deferral_code"));
        var grant = Assert.Single(await Grants.OfAsync(server, Person.Ada));
        Assert.Equal(grant.Subject.Value, reply.Claims.GetProperty("sub").GetString());
        Assert.Equal("night", reply.Claims.GetProperty("client_id").GetString());
        Assert.Equal(HttpStatusCode.OK, (await night.RefreshAsync(reply.RefreshToken)).Status);
        Gadget.Refused(await PollAsync(code), "invalid_grant");
    }

    [Theory, Rfc(Draft, "5")]
    [InlineData(null)]
    [InlineData("immediate")]
    [InlineData("DEFERRED")]
    public async Task A_client_that_did_not_offer_to_wait_is_not_made_to(string? mode)
    {
        Gadget.Refused(await AskAsync(("completion_mode", mode)), "access_denied");
        Assert.Empty(await Gadget.WaitingAsync(server));
    }

    [Fact, Rfc(Draft, "5")]
    public async Task Words_that_are_not_known_are_passed_over() =>
        Gadget.Refused(await AskAsync(("completion_mode", "later deferred")), "authorization_pending");

    public static TheoryData<string, string?, string> WrongPolls => new()
    {
        { "deferral_code", null, "invalid_request" },
        { "deferral_code", "", "invalid_request" },
        { "deferral_code", Twice, "invalid_request" },
        { "deferral_code", Long, "invalid_request" },
        { "deferral_code", "x", "invalid_grant" },
        { "deferral_code", $"pdf_{new string('0', 32)}.{new string('A', 43)}", "invalid_grant" },
        { "completion_mode", "deferred", "invalid_request" },
        { "client_secret", null, "invalid_client" },
        { "client_id", "bell", "invalid_client" },
        { "scope", "mcp:destroy", "invalid_scope" },
        { "resource", "https://elsewhere.example/mcp", "invalid_target" },
    };

    [Theory, MemberData(nameof(WrongPolls)), Rfc(Draft, "5")]
    public async Task A_wrong_poll_is_refused_and_the_code_is_still_good(string parameter, string? value, string error)
    {
        var code = (await AskAsync()).Member("deferral_code")!;
        await AnswerAsync("allow");

        Gadget.Refused(
            await PollAsync(code, value switch
            {
                Twice => [(parameter, code), (parameter, code)],
                Long => [(parameter, new string('x', 17_000))],
                _ => [(parameter, value)],
            }),
            error);
        Assert.Equal(HttpStatusCode.OK, (await PollAsync(code)).Status);
    }

    [Fact, Rfc(Draft, "5")]
    public async Task A_client_that_polls_too_soon_is_told_to_slow_down()
    {
        var code = (await AskAsync()).Member("deferral_code")!;

        Gadget.Refused(await PollAsync(code), "authorization_pending");
        Gadget.Refused(await PollAsync(code), "slow_down");
        server.Clock.Advance(TimeSpan.FromSeconds(10));
        Gadget.Refused(await PollAsync(code), "authorization_pending");
    }

    [Fact, Rfc(Draft, "5")]
    public async Task Another_clients_deferral_code_is_as_one_that_never_was()
    {
        var code = (await AskAsync()).Member("deferral_code")!;
        await AnswerAsync("allow");

        var foreign = await PollAsync(code, ("client_id", "noon"));
        var unknown = await PollAsync(
            $"pdf_{new string('0', 32)}.{new string('A', 43)}", ("client_id", "noon"));

        Gadget.Refused(foreign, "invalid_grant");
        Assert.Equal(unknown.Text, foreign.Text);
        Assert.Equal(HttpStatusCode.OK, (await PollAsync(code)).Status);
    }

    [Fact, Rfc(Draft, "5")]
    public async Task A_no_and_silence_are_told_apart()
    {
        var denied = (await AskAsync()).Member("deferral_code")!;
        await AnswerAsync("deny");
        Gadget.Refused(await PollAsync(denied), "access_denied");

        server.Clock.Advance(TimeSpan.FromMinutes(10));
        var late = (await AskAsync()).Member("deferral_code")!;
        server.Clock.Advance(Deferrals.Lifetime);
        Gadget.Refused(await PollAsync(late), "expired_token");
    }

    [Fact, Rfc(Draft, "6")]
    public async Task A_client_that_wants_to_hear_is_told_that_there_is_an_answer_and_nothing_else()
    {
        host.Put("/told", "{}");
        var code = (await AskAsync(("client_notification_token", Butler.Token))).Member("deferral_code")!;

        await AnswerAsync("allow");
        await Eventually.TrueAsync(() => !host.Heard.IsEmpty);

        var heard = Assert.Single(host.Heard);
        Assert.Contains($"Authorization: Bearer {Butler.Token}\r\n", heard, StringComparison.Ordinal);
        Assert.EndsWith($$"""{"deferral_code":"{{code}}"}""", heard, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await PollAsync(code)).Status);
    }

    [Fact, Rfc(Draft, "6")]
    public async Task A_token_that_can_be_guessed_is_no_way_to_be_known() =>
        Gadget.Refused(await AskAsync(("client_notification_token", "short")), "invalid_request");

    private Task<Reply> AskAsync(params (string Name, string? Value)[] changes) => night.AsItselfAsync(
        [.. changes.Any(change => change.Name is "completion_mode")
            ? changes
            : [.. changes, ("completion_mode", (string?)"deferred")]]);

    private Task<Reply> PollAsync(string code, params (string Name, string? Value)[] changes) => night.PostAsync(
        "/token",
        App.With(
            changes,
            ("grant_type", Butler.Deferred),
            ("deferral_code", code),
            ("client_id", night.Id),
            ("client_secret", night.Secret)));

    private async Task AnswerAsync(string decision) =>
        await ada.AnswerAsync(await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada))), decision);
}
