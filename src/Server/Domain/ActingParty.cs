namespace Postern.Domain;

/// <summary>
/// Somebody who acts for a subject (RFC 8693 §4.1). Issuer and subject together say who; one of another issuer with the
/// same subject is somebody else.
/// </summary>
/// <param name="Issuer">Who named the actor.</param>
/// <param name="Subject">The actor's name there.</param>
/// <param name="Profile">What kind of actor an operator says it is, such as <c>ai_agent</c>; decides nothing.</param>
public sealed record ActingParty(string Issuer, string Subject, string? Profile)
{
    public bool Is(ActingParty other) => Is(other.Issuer, other.Subject);

    public bool Is(string issuer, string subject) => Issuer == issuer && Subject == subject;

    public override string ToString() => $"{Subject}@{Issuer}";
}
