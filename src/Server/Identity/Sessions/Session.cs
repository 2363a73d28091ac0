namespace Postern.Identity.Sessions;

/// <summary>
/// A signed-in browser. <paramref name="Id"/> is the SHA-256 of its cookie: it names the session and opens nothing.
/// </summary>
internal sealed record Session(
    TenantId Tenant,
    string Id,
    SubjectId Subject,
    string Email,
    bool IsAdmin,
    string Method,
    string Device,
    DateTimeOffset CreatedAt,
    DateTimeOffset SeenAt)
{
    /// <summary>How long a browser may rest, and how long a sign-in lasts at most.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromDays(7), Absolute = TimeSpan.FromDays(30);

    public Caller Caller => new(Tenant, Subject, Email, IsAdmin, Id, CreatedAt, Acr.Of(Method));

    public bool IsLive(DateTimeOffset now) => now < CreatedAt + Absolute && now < SeenAt + Idle;
}
