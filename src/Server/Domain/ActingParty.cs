using System.Text.Json;

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

    /// <summary>
    /// Writes who acts as the member <c>act</c>: the one who acts now outside, those before inside; nothing for nobody.
    /// </summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<ActingParty> actors)
    {
        foreach (var actor in actors)
        {
            json.WriteStartObject("act"u8);
            json.WriteString("iss"u8, actor.Issuer);
            json.WriteString("sub"u8, actor.Subject);
            if (actor.Profile is { } profile)
            {
                json.WriteString("sub_profile"u8, profile);
            }
        }

        for (var open = actors.Count; open > 0; open--)
        {
            json.WriteEndObject();
        }
    }

    public override string ToString() => $"{Subject}@{Issuer}";
}
