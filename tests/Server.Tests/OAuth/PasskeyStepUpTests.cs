using System.Net;
using Postern.Tests.Platform.Pages;

namespace Postern.Tests.OAuth;

/// <summary>Step-up to a passkey (RFC 9470), in a real browser.</summary>
public sealed class PasskeyStepUpTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Theory, Rfc(9470, "5"), Rfc(9470, "6.1"), Combines("step-up", "code", "secret")]
    [InlineData("phr")]
    [InlineData(null)]
    public async Task Who_came_by_a_password_is_asked_for_a_passkey_and_its_token_opens_what_wants_one(string? asked)
    {
        await using var way = await PasskeyStepUp.StartAsync();
        await using var context = await chromium.ContextAsync();
        var page = await context.NewPageAsync();
        await way.MakePasskeyAsync(context, page);

        var reply = await way.LetInAsync(page, ("acr_values", asked));

        Assert.Equal(Acr.Passkey, reply.Claims.GetProperty("acr").GetString());
        Assert.NotEqual(HttpStatusCode.Unauthorized, await way.Site.CallAsync(reply.AccessToken));
    }
}
