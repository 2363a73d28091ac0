using System.Security.Cryptography;

namespace Postern.Grants.Parties;

/// <summary>
/// Software that acts with a purpose, and somebody answers for it. It comes by one or more clients; whichever it is,
/// it is the agent who acts.
/// </summary>
internal sealed record Agent
{
    private const string Prefix = "ag_";

    public required TenantId Tenant { get; init; }

    /// <summary>
    /// Given once, so that one that is made anew inherits nothing; those of the configuration have a name there.
    /// </summary>
    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary>The person who answers for it.</summary>
    public required SubjectId Owner { get; init; }

    /// <summary>Whether that person is still there.</summary>
    public bool HasOwner { get; init; } = true;

    public string? Organization { get; init; }

    /// <summary>What it is for, in an operator's words; shown to whoever it asks to be let in by.</summary>
    public required string Purpose { get; init; }

    /// <summary>When it is over by itself.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    /// <summary>
    /// Its public keys, a JSON Web Key Set: it is then a client itself, by its own name, and proves itself by them.
    /// </summary>
    public string? Jwks { get; init; }

    /// <summary>The most it may ask for as that client; null for whatever a server offers.</summary>
    public Scopes? Scope { get; init; }

    /// <summary>Names of the servers it may reach as that client.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>The clients by which it comes, its own among them.</summary>
    public IReadOnlyList<ClientId> Clients { get; init; } = [];

    /// <summary>Named in the configuration, and changed only there.</summary>
    public bool IsConfigured { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public Party Party => new(Tenant, PartyKind.Agent, Id);

    public static string NewId(DateTimeOffset now, RandomNumberGenerator random) =>
        Prefix + random.Version7(now).ToString("N");
}
