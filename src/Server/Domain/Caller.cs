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
public sealed record Caller(
    TenantId Tenant, SubjectId Subject, string Email, bool IsAdmin, string Session, DateTimeOffset AuthTime);
