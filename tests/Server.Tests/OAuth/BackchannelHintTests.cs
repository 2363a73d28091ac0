using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>How a service names the person it asks (CIBA Core §7.1).</summary>
public sealed class BackchannelHintTests : IAsyncLifetime
{
    private const string Ciba = "OpenID CIBA Core";

    private TestServer server = null!;
    private Person ada = null!;
    private Butler butler = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(Butler.Town());
        ada = new(server);
        await ada.SignInAsync();
        butler = Butler.Of(server);
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
    }

    [Fact, Rfc(Ciba, "7.1")]
    public async Task An_ID_token_that_it_was_given_names_its_person_also_when_it_is_old()
    {
        var told = await ToldAsync();
        server.Clock.Advance(TimeSpan.FromDays(1));
        var asked = await butler.AskAsync(("login_hint", null), ("id_token_hint", told));
        var code = asked.Member("auth_req_id")!;
        await ada.AnswerAsync(await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada))), "allow");

        Assert.Equal(HttpStatusCode.OK, (await butler.PollAsync(code)).Status);
    }

    [Theory, Rfc(Ciba, "7.1"), Rfc(Ciba, "13")]
    [InlineData("other client's")]
    [InlineData("altered")]
    [InlineData("access token")]
    [InlineData("text")]
    public async Task Anything_else_names_nobody(string what)
    {
        var told = await ToldAsync();
        var token = (await butler.PollAsync(await AllowedAsync(butler))).AccessToken;
        var hint = what switch
        {
            "altered" => told[..^4] + "AAAA",
            "access token" => token,
            "text" => Person.Ada,
            _ => told,
        };
        var service = what is "other client's" ? Butler.Bell(server) : butler;
        var asked = await service.AskAsync(("login_hint", null), ("id_token_hint", hint));

        Assert.Equal((HttpStatusCode.BadRequest, "unknown_user_id"), (asked.Status, asked.Error));
        Assert.Empty(await Butler.WaitingAsync(ada));
    }

    [Theory, Rfc(Ciba, "7.1")]
    [InlineData(null, null, null)]
    [InlineData(Person.Ada, "a.b.c", null)]
    [InlineData(Person.Ada, null, "a.b.c")]
    [InlineData(null, "a.b.c", "a.b.c")]
    [InlineData(null, null, "a.b.c")]
    public async Task Exactly_one_hint_is_taken(string? address, string? idToken, string? hintToken)
    {
        var asked = await butler.AskAsync(
            ("login_hint", address), ("id_token_hint", idToken), ("login_hint_token", hintToken));

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), (asked.Status, asked.Error));
    }

    private async Task<string> ToldAsync() => (await butler.PollAsync(await AllowedAsync(butler))).Member("id_token")!;

    private async Task<string> AllowedAsync(Butler service)
    {
        var asked = await service.AskAsync(("binding_message", $"{Guid.NewGuid():N}"));
        await ada.AnswerAsync(await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada))), "allow");
        return asked.Member("auth_req_id")!;
    }
}
