using Postern.Platform.Pages;

namespace Postern.OAuth.Consent;

/// <summary>
/// Everything the consent page says, worked out before. The form posts to the page's own address:
/// <see cref="ToolField"/> once for every tool left on, <see cref="UntilField"/> and <see cref="DecisionField"/>, which
/// is <see cref="Allow"/> or anything else for no.
/// </summary>
public sealed record ConsentView
{
    public const string ToolField = "tool", UntilField = "until", DecisionField = "decision",
        ToldField = "told", TransactionField = "transaction", FormField = "form";

    public const string Allow = "allow", Deny = "deny";

    public required Asker Who { get; init; }

    public required ReturnPlace Return { get; init; }

    /// <summary>The server the tools belong to, as its operator named it; null when only who they are is asked.</summary>
    public required string? Server { get; init; }

    /// <summary>It would know the person again.</summary>
    public bool TellsWho { get; init; }

    /// <summary>What it would learn of the person besides.</summary>
    public IReadOnlyList<ToldChoice> Told { get; init; } = [];

    /// <summary>Where the client says what it does with what it learns, and on which terms. Its own word.</summary>
    public string? PolicyUri { get; init; }

    /// <inheritdoc cref="PolicyUri"/>
    public string? TermsUri { get; init; }

    /// <summary>The signed-in person.</summary>
    public required string Account { get; init; }

    public required IReadOnlyList<ToolChoice> Tools { get; init; }

    /// <summary>How long; at most five, exactly one chosen.</summary>
    public required IReadOnlyList<Choice> Until { get; init; }

    /// <summary>How long it may do nothing before it must ask again, in words.</summary>
    public required string Idle { get; init; }

    /// <summary>The sealed request this page shows and the answer must name.</summary>
    public required string Transaction { get; init; }

    public required string FormToken { get; init; }

    /// <summary>For the form by which somebody else takes the question over.</summary>
    public required string SignOutToken { get; init; }

    /// <summary>What was wrong with the last answer.</summary>
    public string? Problem { get; init; }
}

/// <summary>Something of the person that they can let be told, or not.</summary>
/// <param name="Scope">The scope that stands for it.</param>
/// <param name="Label">What it is.</param>
/// <param name="Value">What it would be told as.</param>
public sealed record ToldChoice(string Scope, string Label, string Value);

/// <summary>One tool a person can leave on or off. The description comes from the server's maker.</summary>
public sealed record ToolChoice(string Name, Risk Risk, string? Description = null)
{
    /// <summary>What is on is the least that makes the request work: never what destroys, never what is new.</summary>
    public bool IsOn { get; init; } = Risk is not Risk.Destroy;

    /// <summary>It did not exist when the person last agreed.</summary>
    public bool IsNew { get; init; }

    /// <summary>It existed, and its server described it in another way.</summary>
    public bool IsChanged { get; init; }
}

/// <summary>
/// One position of a dial: what the radio button says, and what the sentence above says when it is chosen.
/// </summary>
public sealed record Choice(string Value, string Label, string Sentence, bool IsChosen = false);
