using System.Text.Json;
using Postern.Identity.Users;

namespace Postern.OAuth.OpenId;

/// <summary>
/// What a client is told of a person: what they agreed to, and of that what is known (OpenID Connect Core §5.1, §5.4).
/// </summary>
internal sealed class PersonClaims(UserStore users)
{
    /// <summary>The person; null when the account is gone or was shut.</summary>
    public async ValueTask<User?> FindAsync(Grant grant, CancellationToken stop) =>
        await users.FindAsync(grant.Tenant, grant.Subject, stop) is { DisabledAt: null } user ? user : null;

    /// <summary>The claims that scopes stand for.</summary>
    public static IEnumerable<string> Of(Scopes scopes) =>
        ClaimsWanted.Scope.Where(claim => scopes.Has(claim.Value)).Select(claim => claim.Key);

    /// <summary>Writes claims as members; one that is not known is left out (§5.3.2).</summary>
    public static void Write(Utf8JsonWriter json, User user, IEnumerable<string> claims)
    {
        foreach (var claim in claims.Distinct(StringComparer.Ordinal))
        {
            switch (claim)
            {
                case ClaimsWanted.Name when user.Name is { } name:
                    json.WriteString(claim, name);
                    break;
                case ClaimsWanted.Email:
                    json.WriteString(claim, user.Email);
                    break;
                case ClaimsWanted.EmailVerified:
                    json.WriteBoolean(claim, user.IsEmailVerified);
                    break;
                default:
                    break;
            }
        }
    }
}
