using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

internal sealed partial class Walker
{
    private static readonly (string Name, string? Value)[] AsItself = [("grant_type", "client_credentials")];

    /// <summary>A copy of a client proves itself at this endpoint, with a challenge that it fetched.</summary>
    public async Task AttestAsync(string path, string id)
    {
        using var app = new AttestedApp(Server, id);
        await app.MeetAsync();
        Ok(await app.SendAsync(path, path is "/token" ? AsItself : [("token", "x")]));
    }

    /// <summary>Attestation and proof are signed by this algorithm.</summary>
    public async Task AttestByAsync(string alg)
    {
        using var app = new AttestedApp(Server, "copy");
        await app.MeetAsync();
        var key = new Signer("copy");
        var jwk = JsonNode.Parse(key.Jwks)!["keys"]![alg is "ES256" ? 0 : 1]!.DeepClone();
        var proof = key.Sign(
            new()
            {
                ["aud"] = Server.Issuer,
                ["jti"] = Guid.NewGuid().ToString("N"),
                ["iat"] = town.Now,
                ["challenge"] = app.Challenge,
            },
            "oauth-client-attestation-pop+jwt",
            alg);

        Ok(await app.PostAsync(
            "/token",
            AsItself,
            ("OAuth-Client-Attestation", app.Attestation(
                claims => claims["cnf"] = new JsonObject { ["jwk"] = jwk }, alg: alg)),
            ("OAuth-Client-Attestation-PoP", proof)));
    }
}
