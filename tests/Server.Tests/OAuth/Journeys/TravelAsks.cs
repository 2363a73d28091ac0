using System.Text.Json.Nodes;
using static Postern.Tests.Combinations;

namespace Postern.Tests.OAuth.Journeys;

/// <content>The ways to a token that go past the browser.</content>
internal sealed partial class Travel
{
    private async Task<Reply> DeviceAsync()
    {
        var asked = await SendAsync(
            "/device_authorization",
            ("scope", "openid mcp:read offline_access"), ("resource", Resource), Details);
        var code = asked.Member("user_code");
        var stop = await ada.OpenAsync($"{dress.Prefix}/device?user_code={code}");
        var token = stop.Page!.Forms["device"]!.QuerySelector("input[name=form]")!.GetAttribute("value")!;
        using var typed = await ada.SendAsync(
            dress.Prefix + "/device", new() { ["form"] = [token], ["user_code"] = [code!] });
        await ada.AnswerAsync(await ada.AskedAsync(typed.Headers.Location!.OriginalString), "allow");
        return await TokenAsync(("grant_type", Gadget.GrantType), ("device_code", asked.Member("device_code")));
    }

    private async Task<Reply> BackchannelAsync()
    {
        (string Name, string? Value)[] wish =
        [
            ("scope", "openid mcp:read offline_access"), ("resource", Resource), ("login_hint", Person.Ada), Details,
            ("acr_values", journey.Has(StepUp) ? "urn:postern:acr:pwd" : null),
            ("binding_message", $"{Guid.NewGuid():N}"[..12]),
        ];
        var asked = await SendAsync("/bc-authorize", journey.Has(Signed) ? [("request", Sign(wish, null))] : wish);
        await AnswerAsync();
        return await TokenAsync(("grant_type", Butler.GrantType), ("auth_req_id", asked.Member("auth_req_id")));
    }

    private async Task<Reply> DeferredAsync()
    {
        var put = await app.PostAsync(
            "/token",
            [
                ("grant_type", "client_credentials"), ("completion_mode", "deferred"), ("resource", Resource),
                ("scope", "mcp:read"), Details, ("client_id", dress.Id), ("client_secret", app.Secret),
            ]);
        Assert.Equal("authorization_pending", put.Error);
        await AnswerAsync();
        return await TokenAsync(
            ("grant_type", Butler.Deferred), ("deferral_code", put.Member("deferral_code")));
    }

    private async Task AnswerAsync()
    {
        var waiting = (await ada.OpenAsync(dress.Prefix + "/me")).Page!.QuerySelectorAll("a.button")
            .Select(link => link.GetAttribute("href")!)
            .Where(address => address.Contains("/i/", StringComparison.Ordinal));
        await ada.AnswerAsync(await ada.AskedAsync(Assert.Single(waiting)), "allow");
    }

    private Task<Reply> AssertAsync(string issuer, string typ)
    {
        var claims = new JsonObject
        {
            ["iss"] = issuer,
            ["sub"] = "u-1",
            ["email"] = Person.Ada,
            ["email_verified"] = true,
            ["aud"] = dress.Issuer,
            ["resource"] = Resource,
            ["scope"] = "mcp:read",
            ["iat"] = town.Now,
            ["exp"] = town.Now + 300,
            ["jti"] = Guid.NewGuid().ToString(),
        };
        if (issuer is JourneyTown.Idp)
        {
            claims["client_id"] = dress.Id;
        }

        if (journey.Has(Rich))
        {
            claims["authorization_details"] = JsonNode.Parse(Tools);
        }

        return TokenAsync(("grant_type", Borough.JwtBearer), ("assertion", town.Domain.Sign(claims, typ)));
    }
}
