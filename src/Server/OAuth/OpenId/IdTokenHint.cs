using Microsoft.IdentityModel.Tokens;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Keys;

namespace Postern.OAuth.OpenId;

/// <summary>
/// An ID token that a client brings back to say whom it means. It may have expired, must be ours, and lets nobody in.
/// </summary>
/// <param name="Client">The client it was made for.</param>
/// <param name="Subject">The person, by the name that client has for them.</param>
/// <param name="Sid">The session, by that client's name for it.</param>
internal sealed record IdTokenHint(string Client, string Subject, string? Sid)
{
    /// <summary>Null for anything that is not an ID token of this issuer.</summary>
    public static async ValueTask<IdTokenHint?> ReadAsync(Tenant tenant, SigningKeys keys, string text) =>
        ForeignToken.Read(text) is { Typ: "jwt", Kid: not null } token
        && token.Text("iss") == tenant.Issuer
        && token.Text("aud") is { } client
        && token.Text("sub") is { } subject
        && await token.IsSignedByAsync(
            [.. new JsonWebKeySet(keys.Json(tenant.Id)).GetSigningKeys()], [SigningKey.Es256, SigningKey.Rs256])
            ? new(client, subject, token.Text("sid"))
            : null;
}
