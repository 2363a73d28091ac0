using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Tests.AccessTokens;

public sealed class GoodTokenTests : IDisposable
{
    private readonly Issuer issuer = new();

    public void Dispose() => issuer.Dispose();

    [Fact]
    public async Task Every_claim_is_read()
    {
        var token = await AcceptAsync(issuer.Mint(c =>
        {
            c["nbf"] = issuer.Now - 5;
            c["auth_time"] = issuer.Now - 60;
            (c["acr"], c["sid"], c["txn"]) = ("strong", "session_1", "txn_1");
            c["act"] = new JsonObject
            {
                ["iss"] = Issuer.Name,
                ["sub"] = "agent_7",
                ["sub_profile"] = "ai_agent",
                ["act"] = new JsonObject { ["sub"] = "agent_parent" },
            };
            c["authorization_details"] = new JsonArray(
                new JsonObject { ["type"] = "mcp_tool", ["tools"] = new JsonArray("read") });
        }));

        Assert.Equal(
            (Issuer.Name, "user_1", Issuer.Resource, "app", "token_1", "gr_1"),
            (token.Issuer, token.Subject, token.Audience, token.ClientId, token.Id, token.GrantId));
        Assert.Equal(["notes:read", "notes:write"], token.Scopes);
        Assert.Equal(("strong", "session_1"), (token.AuthenticationContext, token.SessionId));
        Assert.Equal("txn_1", token.TransactionId);
        var now = issuer.Clock.GetUtcNow();
        Assert.Equal((now, now.AddSeconds(-5), now.AddMinutes(10)), (token.IssuedAt, token.NotBefore, token.ExpiresAt));
        Assert.Equal(now.AddSeconds(-60), token.AuthenticatedAt);
        Assert.Equal(("agent_7", "ai_agent"), (token.Actor!.Subject, token.Actor.Profile));
        Assert.Equal("agent_parent", token.Actor.Prior!.Subject);
        Assert.Equal("read", token.AuthorizationDetails.Single().GetProperty("tools")[0].GetString());
    }

    [Theory]
    [InlineData("at+jwt")]
    [InlineData("AT+JWT")]
    [InlineData("application/at+jwt")]
    [InlineData("Application/At+Jwt")]
    public async Task The_type_is_compared_without_case_and_prefix(string type) =>
        await AcceptAsync(issuer.Mint(header: h => h["typ"] = type));

    [Theory]
    [InlineData("RS256")]
    [InlineData("PS256")]
    public async Task An_RSA_key_verifies_both_of_its_algorithms(string algorithm)
    {
        var header = Issuer.Header;
        (header["kid"], header["alg"]) = (Issuer.RsaId, algorithm);
        var padding = algorithm is "RS256" ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss;

        await AcceptAsync(Issuer.Sign(
            header.ToJsonString(), issuer.Claims.ToJsonString(), signed => issuer.ByRsa(signed, padding)));
    }

    [Fact]
    public async Task Unknown_claims_and_header_members_are_passed_over() =>
        await AcceptAsync(issuer.Mint(c => c["mission"] = new JsonObject { ["id"] = "m" }, h => h["x-note"] = "n"));

    [Theory]
    [InlineData("iat", 30)]
    [InlineData("nbf", 30)]
    [InlineData("exp", -29)]
    public async Task Clocks_may_differ_by_half_a_minute(string claim, int seconds) =>
        await AcceptAsync(issuer.Mint(c => c[claim] = issuer.Now + seconds));

    [Fact]
    public async Task A_token_without_scope_has_none()
    {
        Assert.Empty((await AcceptAsync(issuer.Mint(c => c.Remove("scope")))).Scopes);
        Assert.Empty((await AcceptAsync(issuer.Mint(c => c["scope"] = ""))).Scopes);
    }

    private async Task<AccessToken> AcceptAsync(string token)
    {
        var validator = new AccessTokenValidator(Issuer.Name, new LocalKeys(issuer.Keys), issuer.Clock)
        {
            AuthorizationDetailTypes = new HashSet<string> { "mcp_tool" },
        };

        return Assert.IsType<AccessToken>(await validator.ValidateAsync(token, Issuer.Resource));
    }
}
