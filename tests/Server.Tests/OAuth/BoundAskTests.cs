using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>
/// Requests that wait for a person, with a key: whoever fetches the answer proves the key that asked for it
/// (RFC 9449 §5, §10.1).
/// </summary>
public sealed class BoundAskTests : IAsyncLifetime
{
    private const string Device = "/device_authorization", Backchannel = "/bc-authorize";

    private static readonly string Town = Butler.Town().Replace(
        "servers:",
        $$"""
          - { client_id: lamp, grant_types: ["{{Gadget.GrantType}}", refresh_token], dpop_bound_access_tokens: true }
        servers:
        """,
        StringComparison.Ordinal);

    private TestServer server = null!;
    private Person ada = null!;

    public static TheoryData<string> Bad => [.. Proofs.AllBad];

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(Town);
        // What was used before the start is remembered for a minute by asking for nonces.
        server.Clock.Advance(TimeSpan.FromSeconds(71));
        ada = new(server);
        await ada.SignInAsync();
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
    }

    [Theory, Rfc(9449, "5"), Rfc(9449, "10.1")]
    [InlineData("tv"), InlineData("radio"), InlineData("butler"), InlineData("night")]
    [Combines("DPoP", "device")]
    [Combines("DPoP", "CIBA")]
    [Combines("DPoP", "deferred")]
    public async Task What_was_asked_for_with_a_key_is_fetched_with_that_key_alone(string client)
    {
        using var app = Of(client);
        using var thief = app.WithAnotherKey();
        var (asked, poll) = await AskAsync(app, client);
        await AllowAsync(asked);

        var bare = await app.SendAsync(poll);
        var stolen = await thief.TokenAsync(poll);
        var own = await app.TokenAsync(poll);

        Gadget.Refused(bare, "invalid_grant");
        Gadget.Refused(stolen, "invalid_grant");
        Assert.Equal((HttpStatusCode.OK, "DPoP"), (own.Status, own.Member("token_type")));
        Assert.Contains(app.Key.Thumbprint, own.Claims.GetProperty("cnf").ToString(), StringComparison.Ordinal);
    }

    [Theory, Rfc(9449, "5"), InlineData("tv"), InlineData("butler"), InlineData("night")]
    public async Task What_was_asked_for_with_a_key_is_refreshed_with_one(string client)
    {
        using var app = Of(client);
        var (asked, poll) = await AskAsync(app, client);
        await AllowAsync(asked);
        var own = await app.TokenAsync(poll);
        (string, string?)[] refresh = [("grant_type", "refresh_token"), ("refresh_token", own.RefreshToken)];

        var bare = await app.SendAsync(refresh);
        var proven = await app.TokenAsync(refresh);

        Gadget.Refused(bare, "invalid_grant");
        Assert.Equal((HttpStatusCode.OK, "DPoP"), (proven.Status, proven.Member("token_type")));
    }

    [Theory, MemberData(nameof(Bad)), Rfc(9449, "4.3"), Rfc(9449, "5")]
    public async Task A_bad_proof_asks_nobody_anything(string name)
    {
        foreach (var (client, path) in ((string, string)[])[("tv", Device), ("butler", Backchannel)])
        {
            using var app = Of(client);
            var reply = await app.PostAsync(path, Wish(app), Proofs.Of(name, app.Key, app.Ask(path)));
            Assert.Equal((HttpStatusCode.BadRequest, "invalid_dpop_proof"), (reply.Status, reply.Error));
        }

        Assert.Empty(await Gadget.WaitingAsync(server));
    }

    [Theory, Rfc(9449, "4.3"), InlineData("tv", Device), InlineData("butler", Backchannel)]
    public async Task A_proof_is_for_this_endpoint_and_good_once(string client, string path)
    {
        using var app = Of(client);
        var elsewhere = await app.PostAsync(path, Wish(app), app.Key.Proof(app.Ask()));
        var proof = app.Key.Proof(app.Ask(path));

        var first = await app.PostAsync(path, Wish(app), proof);
        var again = await app.PostAsync(path, [.. Wish(app), ("binding_message", "Again")], proof);

        Assert.Equal("invalid_dpop_proof", elsewhere.Error);
        Assert.Equal(HttpStatusCode.OK, first.Status);
        Assert.Equal("invalid_dpop_proof", again.Error);
    }

    [Theory, Rfc(9449, "10"), InlineData("tv", Device), InlineData("butler", Backchannel)]
    public async Task A_key_that_is_only_named_is_refused_and_not_passed_over(string client, string path)
    {
        using var app = Of(client);

        var reply = await app.PostAsync(path, [.. Wish(app), ("dpop_jkt", app.Key.Thumbprint)]);

        Gadget.Refused(reply, "invalid_request");
        Assert.Empty(await Gadget.WaitingAsync(server));
    }

    [Fact, Rfc(9449, "5.2")]
    public async Task A_client_that_proves_nothing_but_its_key_proves_it_when_it_asks()
    {
        using var lamp = new DpopApp(server, "lamp");

        var bare = await lamp.App.PostAsync(Device, [.. Wish(lamp), ("client_id", "lamp")]);
        var (asked, poll) = await AskAsync(lamp, "lamp");
        await AllowAsync(asked);

        Gadget.Refused(bare, "invalid_dpop_proof");
        Assert.Equal(HttpStatusCode.OK, (await lamp.TokenAsync(poll)).Status);
    }

    [Fact, Rfc(9449, "5")]
    public async Task A_question_with_another_key_is_another_question()
    {
        using var app = Of("butler");
        using var other = app.WithAnotherKey();

        var one = await app.PostAsync(Backchannel, Wish(app), app.Key.Proof(app.Ask(Backchannel)));
        var two = await other.PostAsync(Backchannel, Wish(app), other.Key.Proof(app.Ask(Backchannel)));

        Assert.NotEqual(one.Member("auth_req_id"), two.Member("auth_req_id"));
        Assert.Equal(2, (await Butler.WaitingAsync(ada)).Count);
    }

    private DpopApp Of(string client) => new(server, client, "", client switch
    {
        "radio" => Gadget.RadioSecret,
        "butler" => Butler.Secret,
        "night" => Butler.NightSecret,
        _ => null,
    });

    private static (string Name, string? Value)[] Wish(DpopApp app) =>
    [
        ("scope", app.App.Id is "butler" ? "openid mcp:read" : "mcp:read"),
        ("resource", app.App.Resource),
        ("login_hint", app.App.Id is "butler" ? Person.Ada : null),
    ];

    // Asks with a proof; the answer, and what it is fetched with.
    private static async Task<(Reply Asked, (string Name, string? Value)[] Poll)> AskAsync(DpopApp app, string client)
    {
        if (client is "night")
        {
            var put = await app.TokenAsync(("grant_type", "client_credentials"), ("completion_mode", "deferred"));
            return (put, [("grant_type", Butler.Deferred), ("deferral_code", put.Member("deferral_code"))]);
        }

        var path = client is "butler" ? Backchannel : Device;
        var asked = await app.PostAsync(path, Wish(app), app.Key.Proof(app.Ask(path)));
        Assert.Equal(HttpStatusCode.OK, asked.Status);
        return (asked, client is "butler"
            ? [("grant_type", Butler.GrantType), ("auth_req_id", asked.Member("auth_req_id"))]
            : [("grant_type", Gadget.GrantType), ("device_code", asked.Member("device_code"))]);
    }

    private async Task AllowAsync(Reply asked)
    {
        var question = asked.Member("user_code") is { } code
            ? await Gadget.BringAsync(ada, code)
            : await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada)));
        await ada.AnswerAsync(question, "allow");
    }
}
