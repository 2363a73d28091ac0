using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// What an attester says of one copy of a client (draft-ietf-oauth-attestation-based-client-auth §4): its key. Read
/// strictly, believed only after <see cref="Attesters"/> has looked at it.
/// </summary>
internal sealed class Attestation
{
    /// <summary>The header it comes in, and that of the proof of its key.</summary>
    public const string Header = "OAuth-Client-Attestation", ProofHeader = "OAuth-Client-Attestation-PoP";

    private const string Type = "oauth-client-attestation+jwt";

    // Private halves (RFC 7518 §6): whoever shows one has no key.
    private static readonly string[] Private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    private readonly string key;

    private Attestation(ForeignToken token, string key, string client) =>
        (Token, this.key, Client, Thumbprint) = (
            token, key, client, Base64UrlEncoder.Encode(new JsonWebKey(key).ComputeJwkThumbprint()));

    public ForeignToken Token { get; }

    /// <summary>The client that it says this is a copy of.</summary>
    public string Client { get; }

    /// <summary>Names the key of the copy (RFC 7638).</summary>
    public string Thumbprint { get; }

    /// <summary>Reads one; null for anything that is none.</summary>
    public static Attestation? Read(string text) =>
        ForeignToken.Read(text) is { Typ: Type } token
        && token.Text("sub") is { Length: > 0 } client
        && token.At("exp") is not null
        && KeyOf(token.Claims) is { } key
            ? new(token, key, client)
            : null;

    /// <summary>The key, by the name that a token gives it: there is one, whatever it is called.</summary>
    public SecurityKey Key(string? name) => new JsonWebKey(key) { Kid = name };

    private static string? KeyOf(JsonElement claims)
    {
        if (!claims.TryGetProperty("cnf", out var cnf) || cnf.ValueKind is not JsonValueKind.Object
            || cnf.GetPropertyCount() is not 1
            || !cnf.TryGetProperty("jwk", out var jwk) || jwk.ValueKind is not JsonValueKind.Object
            || Array.Exists(Private, name => jwk.TryGetProperty(name, out _)))
        {
            return null;
        }

        try
        {
            return new JsonWebKey(jwk.GetRawText()) is { Kty: "EC", Crv: "P-256", X.Length: 43, Y.Length: 43 }
                or { Kty: "RSA", N.Length: >= 342 and <= 683, E.Length: > 0 and <= 6 }
                    ? jwk.GetRawText()
                    : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
