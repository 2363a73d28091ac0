namespace Postern.AspNetCore.AccessTokens;

/// <summary>
/// Who acts for the subject (RFC 8693 §4.1). Only the outermost actor counts when access is decided; <see
/// cref="Prior"/> is history.
/// </summary>
public sealed record Actor
{
    internal Actor(string? issuer, string subject, string? profile, Actor? prior) =>
        (Issuer, Subject, Profile, Prior) = (issuer, subject, profile, prior);

    /// <summary><c>iss</c>: who named the actor; null means the issuer of the token.</summary>
    public string? Issuer { get; }

    /// <summary><c>sub</c>: the actor, unique together with <see cref="Issuer"/>.</summary>
    public string Subject { get; }

    /// <summary><c>sub_profile</c>: what kind of actor it is, such as <c>ai_agent</c>. An open set.</summary>
    public string? Profile { get; }

    /// <summary>The actor before this one in the chain of delegation.</summary>
    public Actor? Prior { get; }
}
