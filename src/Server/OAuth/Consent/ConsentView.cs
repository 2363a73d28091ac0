using Postern.Platform.Pages;

namespace Postern.OAuth.Consent;

/// <summary>
/// Everything the consent page says, worked out before. The form posts to the page's own address:
/// <see cref="ToolField"/> once for every tool left on, <see cref="UntilField"/>, <see cref="AskField"/> and
/// <see cref="DecisionField"/>, which is <see cref="Allow"/> or anything else for no.
/// </summary>
public sealed record ConsentView
{
    public const string ToolField = "tool", UntilField = "until", AskField = "ask", DecisionField = "decision",
        TransactionField = "transaction", FormField = "form";

    public const string Allow = "allow", Deny = "deny";

    public required Asker Who { get; init; }

    public required ReturnPlace Return { get; init; }

    /// <summary>The server the tools belong to, as its operator named it; null when none is asked for.</summary>
    public string? Server { get; init; }

    /// <summary>The signed-in person.</summary>
    public required string Account { get; init; }

    /// <summary>A path of ours where another person can sign in and come back to the same question.</summary>
    public string? SwitchAccount { get; init; }

    public IReadOnlyList<ToolChoice> Tools { get; init; } = [];

    /// <summary>Facts about the person the app will learn: <c>your e-mail address</c>.</summary>
    public IReadOnlyList<string> Learns { get; init; } = [];

    /// <summary>How long; at most five, exactly one chosen.</summary>
    public required IReadOnlyList<Choice> Until { get; init; }

    /// <summary>How often to ask the person before a tool is used; empty when there is nothing to ask about.</summary>
    public IReadOnlyList<Choice> Ask { get; init; } = [];

    /// <summary>The sealed request this page shows and the answer must name.</summary>
    public required string Transaction { get; init; }

    public required string FormToken { get; init; }

    /// <summary>What was wrong with the last answer.</summary>
    public string? Problem { get; init; }
}

/// <summary>One tool a person can leave on or off. The description comes from the server's maker.</summary>
public sealed record ToolChoice(string Name, Risk Risk, string? Description = null)
{
    /// <summary>What is on is the least that makes the request work: never what destroys, never what is new.</summary>
    public bool IsOn { get; init; } = Risk is not Risk.Destroy;

    /// <summary>It did not exist when the person last agreed.</summary>
    public bool IsNew { get; init; }

    /// <summary>Limits on its arguments, in words: <c>amount at most 50 EUR</c>.</summary>
    public IReadOnlyList<string> Limits { get; init; } = [];
}

/// <summary>One position of a dial: what the radio button says, and what the sentence above says when it is chosen.</summary>
public sealed record Choice(string Value, string Label, string Sentence, bool IsChosen = false);
