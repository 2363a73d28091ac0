namespace Postern.Grants;

/// <summary>
/// What a client asks to be let in for, by whatever way it asks: it passed every check, and nobody has agreed to it
/// yet.
/// </summary>
internal record Wish
{
    /// <summary>The name of the grant it may become, so that it becomes one at most.</summary>
    public required string Id { get; init; }

    public required string Client { get; init; }

    public required string ClientName { get; init; }

    public required string Scope { get; init; }

    public required string Resource { get; init; }

    /// <summary>The authorization details asked for (RFC 9396), in their one spelling; null for none.</summary>
    public string? Details { get; init; }

    /// <summary>Single claims that are asked for.</summary>
    public ClaimsWanted? Claims { get; init; }

    /// <summary>How strongly the person must have signed in, any of these; null or empty for no matter.</summary>
    public IReadOnlyList<string>? AcrValues { get; init; }

    /// <summary>Unix seconds.</summary>
    public required long CreatedAt { get; init; }
}
