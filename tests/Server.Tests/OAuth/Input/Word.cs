using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth.Input;

/// <summary>What the trusted identity provider says of a person, with one claim another if need be.</summary>
internal sealed class Word(InputTown town)
{
    public string Sign(string? claim = null, string? value = null, string typ = "oauth-id-jag+jwt", int life = 300)
    {
        var claims = new JsonObject
        {
            ["iss"] = "https://idp.example",
            ["sub"] = "u-1",
            ["email"] = Person.Ada,
            ["email_verified"] = true,
            ["aud"] = town.Server.Issuer,
            ["client_id"] = "connector",
            ["resource"] = App.Web(town.Server).Resource,
            ["scope"] = "mcp:read",
            ["iat"] = town.Now - 10,
            ["exp"] = town.Now + life,
            ["jti"] = Guid.NewGuid().ToString("N"),
        };
        if (claim is not null)
        {
            claims[claim] = value;
        }

        return WalkTown.Idp.Sign(claims, typ);
    }
}
