using Postern.Platform.Pages;

namespace Postern.Console.Me;

/// <summary>A person's own page: whom they let in, where they are signed in, how they sign in.</summary>
public sealed record MeView
{
    public const string IdField = "id", PasskeyField = "passkey", StateField = "state", PasswordField = "password",
        NewPasswordField = "new_password", FormField = PageForms.TokenField;

    public required string Person { get; init; }

    public bool IsAdministrator { get; init; }

    public required IReadOnlyList<LetIn> Grants { get; init; }

    /// <summary>Who waits for this person's answer.</summary>
    public IReadOnlyList<Asking> Asking { get; init; } = [];

    /// <summary>What this person answers for.</summary>
    public IReadOnlyList<OwnAgent> Agents { get; init; } = [];

    /// <summary>What was done lately in this person's name, newest first.</summary>
    public IReadOnlyList<CallMade> Calls { get; init; } = [];

    public required IReadOnlyList<Browser> Browsers { get; init; }

    public required IReadOnlyList<OwnPasskey> Passkeys { get; init; }

    public required string FormToken { get; init; }

    public required string SignOutToken { get; init; }

    /// <summary>The WebAuthn options, JSON for the browser, and the sealed state that goes with them.</summary>
    public string? PasskeyOptions { get; init; }

    public string? PasskeyState { get; init; }

    public bool HasPassword { get; init; }

    /// <summary>The sign-in is too old to change how one signs in.</summary>
    public bool MustSignInAgain { get; init; }

    /// <summary>What the last act did: <c>Ended. It took 3 ms.</c></summary>
    public string? Done { get; init; }

    public string? Problem { get; init; }

    /// <summary>What was wrong with the change of the password, said beside its form.</summary>
    public string? PasswordProblem { get; init; }
}

/// <summary>
/// One call of a tool; <paramref name="Tool"/> is null when the server has none of the name that was called.
/// </summary>
public sealed record CallMade(
    string Who, string? Device, string? Tool, string Server, DateTimeOffset At, bool IsAllowed);

/// <summary>
/// One agent on one installation, and what it may do; <paramref name="Through"/> names those who passed it on, when
/// nobody let it in but another.
/// </summary>
public sealed record LetIn(
    string Id,
    Asker Who,
    string Sentence,
    DateTimeOffset Since,
    DateTimeOffset? LastDid,
    DateTimeOffset Ends,
    string? Through = null)
{
    /// <summary>Who agreed in the person's stead; null when they did so themselves.</summary>
    public string? By { get; init; }

    /// <summary>What the agent is for whose app this is, in an operator's words; null where no agent is.</summary>
    public string? Purpose { get; init; }

    /// <summary>The limits that were agreed to, and what is left of them, a sentence each.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    /// <summary>Its tokens are bound to a key that it keeps.</summary>
    public bool IsBound { get; init; }

    /// <summary>Only the copy of the app that got it gets more tokens.</summary>
    public bool IsOfCopy { get; init; }
}

/// <summary>A question that waits, on its own page under <paramref name="Name"/>.</summary>
public sealed record Asking(string Name, Asker Who, string Server, DateTimeOffset Since);

/// <summary>An agent of this person; <paramref name="Off"/> says why it may do nothing now.</summary>
public sealed record OwnAgent(string Name, string Purpose, DateTimeOffset Ends, string? Off);

public sealed record Browser(string Id, string Device, DateTimeOffset Since, DateTimeOffset LastSeen, bool IsThis);

public sealed record OwnPasskey(string Id, string Name, DateTimeOffset Added);
