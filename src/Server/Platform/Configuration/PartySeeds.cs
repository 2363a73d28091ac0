using System.Globalization;

namespace Postern.Platform.Configuration;

/// <summary>A company named in the configuration.</summary>
internal sealed record OrganizationSeed(string Id, string? Name)
{
    public static OrganizationSeed Read(SettingsNode node) => new(
        node.Value<string>(
            "id",
            "Its name in the configuration and on the command line.",
            null,
            "1 to 40 lower-case letters, digits and hyphens",
            text => ServerSeed.IsName(text) ? text : null)
            ?? throw node.Refuse("`organizations[].id` is missing"),
        node.Text("name", "What people see."));

    /// <summary>To which one something belongs.</summary>
    public static string? Membership(SettingsNode node) => node.Text(
        "organization", "To which of `organizations` it belongs; it is switched off with that.", null, "an id of one");
}

/// <summary>An agent named in the configuration.</summary>
internal sealed record AgentSeed
{
    /// <summary>Where it stands, for what is found wrong with it later.</summary>
    public required string Place { get; init; }

    public required string Id { get; init; }

    public required string? Name { get; init; }

    /// <summary>An e-mail address.</summary>
    public required string Owner { get; init; }

    public required string? Organization { get; init; }

    public required string Purpose { get; init; }

    public required DateTimeOffset Ends { get; init; }

    public required string? Jwks { get; init; }

    public required string? Scope { get; init; }

    /// <summary>Names of servers.</summary>
    public required IReadOnlyList<string> Servers { get; init; }

    /// <summary>Identifiers of clients.</summary>
    public required IReadOnlyList<string> Clients { get; init; }

    /// <summary>Programs of trusted platforms: by issuer, the subject.</summary>
    public required IReadOnlyDictionary<string, string> Workloads { get; init; }

    public static AgentSeed Read(SettingsNode node) => new()
    {
        Place = node.Place,
        Id = node.Value<string>(
            "id",
            "Its name; with `jwks` also its client_id.",
            null,
            "1 to 40 lower-case letters, digits and hyphens",
            text => ServerSeed.IsName(text) ? text : null)
            ?? throw node.Refuse("`agents[].id` is missing"),
        Name = node.Text("name", "What people see."),
        Owner = node.Required("owner", "The person who answers for it.", "the e-mail address of one of the people"),
        Organization = OrganizationSeed.Membership(node),
        Purpose = node.Required("purpose", "What it is for; people are shown it.", "a sentence"),
        Ends = node.Value<object>(
            "ends", "The day on which it is over by itself.", null, "a day such as 2027-06-30", ParseDay) is { } ends
            ? (DateTimeOffset)ends
            : throw node.Refuse("`agents[].ends` is missing"),
        Jwks = node.Text("jwks", "Its public keys, a JSON Web Key Set: it is a client itself then.", null, "JSON"),
        Scope = node.Text(
            "scope", "The most it may ask for as that client.", null, "scopes with spaces between"),
        Servers = node.List("servers", "The servers it may reach as that client.", "a server's name", text => text),
        Clients = node.List("clients", "The clients by which it comes.", "a client_id", text => text),
        Workloads = node.Map(
            "workloads",
            "Programs of trusted platforms that are this agent: the issuer, and its name for the program.",
            "the `sub` of its assertions",
            text => text),
    };

    /// <summary>The beginning of a day (UTC).</summary>
    public static object? ParseDay(string text) => DateTimeOffset.TryParseExact(
        text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day) ? day : null;
}
