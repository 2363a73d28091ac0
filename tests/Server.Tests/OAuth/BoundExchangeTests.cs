using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>Tokens that are bound to a key, with somebody who does not hold it (RFC 8693, RFC 9449).</summary>
public sealed class BoundExchangeTests
{
    private const string Secret = "secret-secret-secret-secret-secret-";

    // desk is whom the token names, back is the server that it was sent to.
    private static readonly string Trusting = ExchangeTests.House.Yaml
        .Replace("may_act: sub, actor: ai_agent", $"may_act: sub, actor: ai_agent, {Setting}", StringComparison.Ordinal)
        .Replace(
            "introspects: [echo], actor: service, scope",
            $"introspects: [echo], actor: service, {Setting}, scope",
            StringComparison.Ordinal);

    private const string Setting = "exchanges_bound_tokens: true";

    [Theory, Rfc(8693, "2.2.2"), Rfc(9449, "5"), InlineData("desk"), InlineData("back")]
    public async Task Whom_a_bound_token_names_or_was_sent_to_does_not_hold_its_key(string actor)
    {
        await using var server = await TestServer.StartAsync(ExchangeTests.House.Yaml);
        using var ada = new Person(server);
        using var other = new DpopApp(server, actor, "", Secret + actor);
        var bound = await BoundAsync(server, ada, actor);

        var plain = await ExchangeTests.ExchangeAsync(server, actor, bound);
        var proven = await other.TokenAsync(Fields(bound));

        TokenTests.Refused(plain, "invalid_request");
        TokenTests.Refused(proven, "invalid_request");
    }

    [Theory, Rfc(8693, "1.1"), InlineData("desk"), InlineData("back")]
    public async Task Where_an_operator_says_so_it_is_handed_on_and_bound_to_the_key_of_who_acts(string actor)
    {
        await using var server = await TestServer.StartAsync(Trusting);
        using var ada = new Person(server);
        using var other = new DpopApp(server, actor, "", Secret + actor);
        using var stranger = new DpopApp(server, "stranger", "", Secret + "stranger");
        var bound = await BoundAsync(server, ada, actor);

        var plain = await ExchangeTests.ExchangeAsync(server, actor, bound);
        var strange = await stranger.TokenAsync(Fields(bound));
        var proven = await other.TokenAsync(Fields(bound));
        var own = await other.App.PostAsync("/token", [
            .. Fields(proven.AccessToken), ("client_id", actor), ("client_secret", Secret + actor)]);

        TokenTests.Refused(plain, "invalid_request");
        TokenTests.Refused(strange, "invalid_request");
        Assert.True(proven.Status is HttpStatusCode.OK, proven.Text);
        Assert.Equal(other.Key.Thumbprint, proven.Claims.GetProperty("cnf").GetProperty("jkt").GetString());
        // What is bound to a key of its own needs that key, whatever the operator says of others.
        TokenTests.Refused(own, "invalid_request");
    }

    [Fact]
    public async Task It_is_for_clients_that_exchange_tokens()
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => TestServer.StartAsync(App.Town.Replace(
            "redirect_uris: [https://web.example/cb] }",
            $"redirect_uris: [https://web.example/cb], {Setting} }}",
            StringComparison.Ordinal)));

        Assert.Contains("exchanges_bound_tokens", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<string> BoundAsync(TestServer server, Person ada, string actor)
    {
        using var app = actor is "desk" ? DpopApp.Web(server) : DpopApp.Native(server);
        return (await app.LetInAsync(ada)).AccessToken;
    }

    private static (string Name, string? Value)[] Fields(string token) =>
    [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", token),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
}
