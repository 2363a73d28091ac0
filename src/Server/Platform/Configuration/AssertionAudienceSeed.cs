namespace Postern.Platform.Configuration;

/// <summary>An authorization server elsewhere that takes our word for our people (ID-JAG).</summary>
internal sealed record AssertionAudienceSeed
{
    /// <summary>Its issuer, as text: the audience of what it is told.</summary>
    public required string Issuer { get; init; }

    /// <summary>Its resources, as it names them.</summary>
    public required IReadOnlyList<string> Resources { get; init; }

    public required string Scope { get; init; }

    /// <summary>Our clients, with the names that they have there.</summary>
    public required IReadOnlyDictionary<string, string> Clients { get; init; }

    public required bool TellsEmail { get; init; }

    public static AssertionAudienceSeed Read(SettingsNode node) => new()
    {
        Issuer = node.Required("issuer", "The issuer of the other server, as it names itself.", "an https URL"),
        Resources = node.List(
            "resources", "The resources there for which it may be asked.", "a URL", text => text),
        Scope = node.Required("scope", "The most that is asserted.", "scopes with spaces between"),
        Clients = node.Map(
            "clients",
            "Our clients that may ask, each with the name it has there.",
            "the client_id there",
            text => text),
        TellsEmail = node.Flag("tells_email", "Names the person's address, so that they are known there.", true),
    };
}
