using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Domain;

/// <summary>
/// The person behind a browser request, as the sign-in room proved it; left in the request's features for the rooms
/// that may not know that one.
/// </summary>
/// <param name="Subject">The person.</param>
/// <param name="Email">What people call this account.</param>
/// <param name="IsAdmin">Runs this installation.</param>
/// <param name="Session">A public name of the browser session; knowing it opens nothing.</param>
/// <param name="AuthTime">When the person last proved who they are.</param>
/// <param name="Acr">How strongly: one of <see cref="Domain.Acr.All"/>.</param>
public sealed record Caller(
    TenantId Tenant,
    SubjectId Subject,
    string Email,
    bool IsAdmin,
    string Session,
    DateTimeOffset AuthTime,
    string Acr)
{
    /// <summary>
    /// What a client calls this session (OpenID Connect Back-Channel Logout §2.1): another name for each client, and
    /// new with each sign-in.
    /// </summary>
    public string Sid(ClientId client) => Base64Url.EncodeToString(
        SHA256.HashData(Encoding.UTF8.GetBytes($"sid\n{Session}\n{client}")).AsSpan(0, 16));
}
