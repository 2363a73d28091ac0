using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;
using Postern.AspNetCore.Proofs;

namespace Postern.AspNetCore.Tests.AccessTokens;

/// <summary>A token that is bound to a certificate, at a resource: with it or not at all (RFC 8705 §3).</summary>
public sealed class CertificateTests(ProtectedApi api) : IClassFixture<ProtectedApi>
{
    private const string Thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    [Fact]
    public async Task A_bound_token_is_good_on_a_connection_that_shows_its_certificate()
    {
        using var certificate = Make();
        using var another = Make();
        var token = Mint(Thumbprints.Of(certificate));

        Assert.IsType<AccessToken>(await JudgeAsync(token, certificate));
        Assert.IsType<TokenRefusal>(await JudgeAsync(token, another));
        Assert.IsType<TokenRefusal>(await JudgeAsync(token, null));
        Assert.IsType<TokenRefusal>(await JudgeAsync(token, certificate, "DPoP"));
    }

    [Fact]
    public async Task Whoever_requires_certificates_takes_no_other_token()
    {
        using var certificate = Make();

        Assert.IsType<AccessToken>(await JudgeAsync(Mint(Thumbprints.Of(certificate)), certificate, requires: true));
        Assert.IsType<TokenRefusal>(await JudgeAsync(api.Issuer.Mint(), certificate, requires: true));
        Assert.IsType<TokenRefusal>(await JudgeAsync(
            api.Issuer.Mint(c => c["cnf"] = new JsonObject { ["jkt"] = Thumbprint }), certificate, "DPoP", true));
    }

    [Theory]
    [InlineData("""{"x5t#S256":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I","jkt":"x"}""")]
    [InlineData("""{"x5t#S256":"short"}""")]
    [InlineData("""{"x5t#S256":7}""")]
    [InlineData("""{"x5t":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}""")]
    [InlineData("""{"x5t#S256":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I","kid":"x"}""")]
    public async Task What_is_not_understood_of_a_binding_refuses_the_token(string cnf)
    {
        var token = api.Issuer.Mint(c => c["cnf"] = JsonNode.Parse(cnf));

        Assert.StartsWith("claim: ", Assert.IsType<TokenRefusal>(await JudgeAsync(token, null)).Reason);
    }

    [Fact]
    public async Task Nobody_takes_a_bound_token_by_hand()
    {
        var refused = await Tokens().ValidateAsync(Mint(Thumbprint), Issuer.Resource);

        Assert.IsType<TokenRefusal>(refused);
        Assert.Equal(
            Thumbprint,
            Assert.IsType<AccessToken>(await Tokens().InspectAsync(Mint(Thumbprint), Issuer.Resource))
                .CertificateThumbprint);
    }

    [Fact]
    public async Task An_application_says_that_it_requires_certificates()
    {
        await using var server = await ResourceServer.StartAsync(
            api.Issuer, options => options.RequireCertificate = true);

        using var plain = await server.GetAsync("/notes", api.Issuer.Mint());
        var metadata = await server.Client.GetStringAsync("/.well-known/oauth-protected-resource/notes");

        Assert.Equal(HttpStatusCode.Unauthorized, plain.StatusCode);
        Assert.Contains("\"tls_client_certificate_bound_access_tokens\":true", metadata);
    }

    private string Mint(string thumbprint) =>
        api.Issuer.Mint(c => c["cnf"] = new JsonObject { ["x5t#S256"] = thumbprint });

    private AccessTokenValidator Tokens() => new(Issuer.Name, new LocalKeys(api.Issuer.Keys), api.Issuer.Clock);

    private async Task<TokenOutcome?> JudgeAsync(
        string token, X509Certificate2? shown, string scheme = "Bearer", bool requires = false)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers.Authorization = $"{scheme} {token}";
        http.Connection.ClientCertificate = shown;
        var proofs = new ProofValidator(api.Issuer.Clock, new(new byte[32], api.Issuer.Clock));
        return await new RequestValidator(Tokens(), proofs) { RequiresCertificate = requires }.ValidateAsync(
            http.Request, Issuer.Resource, Issuer.Resource);
    }

    private static X509Certificate2 Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        return new CertificateRequest("CN=agent", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
