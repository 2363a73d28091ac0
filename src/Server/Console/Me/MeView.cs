using Postern.Platform.Pages;

namespace Postern.Console.Me;

/// <summary>A person's own page: whom they let in, where they are signed in, how they sign in.</summary>
public sealed record MeView
{
    public const string IdField = "id", FormField = "form";

    public required string Person { get; init; }

    public bool IsAdministrator { get; init; }

    public required IReadOnlyList<LetIn> Grants { get; init; }

    public required IReadOnlyList<Browser> Browsers { get; init; }

    public required IReadOnlyList<OwnPasskey> Passkeys { get; init; }

    public required string FormToken { get; init; }

    /// <summary>Sealed state of the passkey being added, and the WebAuthn creation options for the browser.</summary>
    public string? PasskeyFlow { get; init; }

    public string? PasskeyOptions { get; init; }

    /// <summary>What the last act did: <c>Ended. It took 3 ms.</c></summary>
    public string? Done { get; init; }

    public string? Problem { get; init; }
}

/// <summary>One agent on one installation, and what it may do.</summary>
public sealed record LetIn(
    string Id, Asker Who, string Sentence, DateTimeOffset Since, DateTimeOffset? LastDid, DateTimeOffset? Ends);

public sealed record Browser(string Id, string Device, DateTimeOffset Since, DateTimeOffset LastSeen, bool IsThis);

public sealed record OwnPasskey(string Id, string Name, DateTimeOffset Added);
