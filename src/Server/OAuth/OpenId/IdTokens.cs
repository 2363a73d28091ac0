using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Keys;

namespace Postern.OAuth.OpenId;

/// <summary>
/// Writes ID tokens (OpenID Connect Core §2): who the person is, for one client, never good as anything else.
/// </summary>
internal sealed class IdTokens(JwtWriter jwt, Subjects subjects, PersonClaims persons, TimeProvider clock)
{
    /// <summary>The <c>typ</c> of an ID token, and of nothing else we sign.</summary>
    public const string Type = "JWT";

    /// <summary>
    /// Asks for all that may be refused or away; what it answers writes the ID token that goes with an access token.
    /// </summary>
    /// <param name="presenter">The client it is for.</param>
    /// <param name="grant">What the person agreed to.</param>
    /// <param name="scopes">As much of it as was asked for now.</param>
    /// <param name="nonce">From the authorization request; a refreshed token repeats none (§12.2).</param>
    /// <param name="stop">Ends the waiting.</param>
    public async ValueTask<Func<byte[], string>> PrepareAsync(
        Presenter presenter, Grant grant, Scopes scopes, string? nonce, CancellationToken stop)
    {
        var (tenant, client) = (presenter.Tenant, presenter.Client);
        var subject = await subjects.OfAsync(tenant.Id, client, grant.Subject, stop);
        var told = Told(tenant, grant, scopes).ToList();
        var user = told.Count > 0 ? await persons.FindAsync(grant, stop) : null;
        var key = await jwt.KeyAsync(tenant.Id, client.OpenId.IdTokenAlgorithm, stop);
        return accessToken => JwtWriter.Write(key, Type, json => Claims(json, accessToken));

        void Claims(Utf8JsonWriter json, byte[] accessToken)
        {
            var now = clock.GetUtcNow();
            json.WriteString("iss"u8, tenant.Issuer);
            json.WriteString("sub"u8, subject);
            json.WriteString("aud"u8, client.Id.Value);
            json.WriteNumber("exp"u8, (now + tenant.AccessLifetime).ToUnixTimeSeconds());
            json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
            SignIn(json, grant);
            if (nonce is not null)
            {
                json.WriteString("nonce"u8, nonce);
            }

            json.WriteString("at_hash"u8, HashOf(accessToken));
            Person(json, user, told);
        }
    }

    private static void SignIn(Utf8JsonWriter json, Grant grant)
    {
        if (grant.AuthTime is { } time)
        {
            json.WriteNumber("auth_time"u8, time.ToUnixTimeSeconds());
        }

        if (grant.Acr is { } acr)
        {
            json.WriteString("acr"u8, acr);
            json.WriteStartArray("amr"u8);
            foreach (var method in Acr.Methods(acr))
            {
                json.WriteStringValue(method);
            }

            json.WriteEndArray();
        }

        if (grant.Sid is { } sid)
        {
            json.WriteString("sid"u8, sid);
        }
    }

    private static void Person(Utf8JsonWriter json, User? user, IEnumerable<string> told)
    {
        if (user is not null)
        {
            PersonClaims.Write(json, user, told);
        }
    }

    // Where the access token opens UserInfo, claims are told there (§5.4). One for an MCP server opens nothing else, so
    // the ID token beside it tells them.
    private static IEnumerable<string> Told(Tenant tenant, Grant grant, Scopes scopes)
    {
        var asked = (grant.Claims?.IdToken ?? []).AsEnumerable();
        return grant.Resource.Value == tenant.UserInfo ? asked : asked.Concat(PersonClaims.Of(scopes));
    }

    // §3.1.3.6: the left half of the digest of the token.
    private static string HashOf(byte[] accessToken) =>
        Base64Url.EncodeToString(SHA256.HashData(accessToken).AsSpan(0, 16));
}
