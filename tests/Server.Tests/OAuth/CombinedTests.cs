using System.Net;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

/// <summary>What is served alone is served together: signed and pushed, answered signed, bound to a key.</summary>
public sealed class CombinedTests : IAsyncLifetime
{
    private const string Redirect = "https://signer.example/cb";

    private static readonly Signer Own = new("k1");

    private static readonly string Town = App.Town.Replace(
        "clients:",
        $$"""
        clients:
          - client_id: signer
            client_secret: {{App.WebSecret}}
            redirect_uris: [{{Redirect}}]
            jwks: '{{Own.Jwks}}'
            require_signed_request_object: true
            dpop_bound_access_tokens: true
        """,
        StringComparison.Ordinal);

    private TestServer server = null!;
    private Person ada = null!;
    private DpopApp app = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(Town);
        server.Clock.Advance(TimeSpan.FromSeconds(71));
        ada = new(server);
        app = new(server, "signer", Redirect, App.WebSecret);
    }

    public async ValueTask DisposeAsync()
    {
        app.Dispose();
        ada.Dispose();
        await server.DisposeAsync();
    }

    [Theory, Rfc(9449, "10.1"), Rfc(9101, "6.3"), Rfc("JARM", "2.3")]
    [InlineData("a proof beside it")]
    [InlineData("the key named in it")]
    [InlineData("both")]
    [Combines("secret", "DPoP", "PAR", "JAR", "JARM", "code")]
    public async Task A_signed_request_is_pushed_with_a_key_and_answered_signed_for_that_key_alone(string how)
    {
        using var thief = app.WithAnotherKey();
        var text = Own.Sign(Claims(how is "a proof beside it" ? null : app.Key.Thumbprint));
        var pushed = await PushAsync(text, how is "the key named in it" ? [] : [app.Key.Proof(app.Ask("/par"))]);
        var answer = await ada.AllowAsync(app.App.Pushed(pushed));
        var signed = (await Jwt.ReadAsync(server, answer["response"]!)).Claims;
        var code = signed.GetProperty("code").GetString()!;

        var bare = await app.App.RedeemAsync(code);
        var stolen = await thief.RedeemAsync(code);
        var own = await app.RedeemAsync(code);

        Assert.Equal("inner", signed.GetProperty("state").GetString());
        Assert.Null(answer["code"]);
        TokenTests.Refused(bare, "invalid_grant");
        TokenTests.Refused(stolen, "invalid_grant");
        Assert.Contains(app.Key.Thumbprint, own.Claims.GetProperty("cnf").ToString(), StringComparison.Ordinal);
    }

    [Fact, Rfc(9449, "10.1")]
    public async Task A_key_inside_and_another_beside_are_refused()
    {
        using var other = app.WithAnotherKey();

        var reply = await PushAsync(Own.Sign(Claims(app.Key.Thumbprint)), other.Key.Proof(other.Ask("/par")));

        Assert.Equal("invalid_dpop_proof", reply.Error);
    }

    [Fact, Rfc(9449, "7.1"), Rfc(9449, "7.2"), Rfc("OpenID Connect Core", "5.3.1")]
    public async Task A_bound_token_opens_UserInfo_with_a_proof_of_its_key_and_not_otherwise()
    {
        using var web = DpopApp.Web(server);
        using var thief = web.WithAnotherKey();
        var answer = await ada.AllowAsync(web.App.Authorize(("scope", "openid"), ("resource", null)));
        var token = (await web.RedeemAsync(answer.Code)).AccessToken;
        var ask = web.Ask("/userinfo") with { Method = "GET", Token = token };
        var proof = web.Key.Proof(ask);

        Assert.Equal(HttpStatusCode.OK, await OpenAsync("DPoP", token, proof));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync("DPoP", token, proof));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync("Bearer", token));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync("Bearer", token, web.Key.Proof(ask)));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync("DPoP", token));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync("DPoP", token, thief.Key.Proof(ask)));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(
            "DPoP", token, web.Key.Proof(ask with { Method = "POST" })));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(
            "DPoP", token, web.Key.Proof(ask with { Token = null })));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(
            "DPoP", token, web.Key.Proof(ask with { Url = $"{server.Issuer}/mcp/echo" })));
        Assert.Equal(HttpStatusCode.OK, await OpenAsync("DPoP", token, web.Key.Proof(ask)));
    }

    private JsonObject Claims(string? thumbprint)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = "signer",
            ["aud"] = server.Issuer,
            ["nbf"] = now,
            ["exp"] = now + 60,
        };
        foreach (var (name, value) in app.App.Usual)
        {
            claims[name] = value;
        }

        (claims["state"], claims["response_mode"]) = ("inner", "query.jwt");
        if (thumbprint is not null)
        {
            claims["dpop_jkt"] = thumbprint;
        }

        return claims;
    }

    private async Task<Reply> PushAsync(string text, params string[] proofs) =>
        await app.PostAsync("/par", [("request", text)], proofs);

    private async Task<HttpStatusCode> OpenAsync(string scheme, string token, params string[] proofs)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/userinfo", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", $"{scheme} {token}");
        Array.ForEach(proofs, proof => request.Headers.TryAddWithoutValidation("DPoP", proof));
        using var answer = await server.Http.SendAsync(request);
        return answer.StatusCode;
    }
}
