using Postern.OAuth.Requests;
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

    /// <summary>Where the browser takes the answer; null when the client waits for it elsewhere.</summary>
    public ReturnPlace? Return { get; init; }

    /// <summary>Who waits elsewhere; null when the browser takes the answer along.</summary>
    public WaitingPlace? Waiting { get; init; }

    /// <summary>
    /// The server the tools belong to, as its operator named it; null when only who they are is asked.
    /// </summary>
    public required string? Server { get; init; }

    /// <summary>It would know the person again.</summary>
    public bool TellsWho { get; init; }

    /// <summary>What it would learn of the person besides.</summary>
    public IReadOnlyList<ToldChoice> Told { get; init; } = [];

    /// <summary>Where the client says what it does with what it learns, and on which terms. Its own word.</summary>
    public string? PolicyUri { get; init; }

    /// <inheritdoc cref="PolicyUri"/>
    public string? TermsUri { get; init; }

    /// <summary>What the agent is for whose client this is, as an operator says; null where no agent is.</summary>
    public string? Purpose { get; init; }

    /// <summary>The signed-in person.</summary>
    public required string Account { get; init; }

    public required IReadOnlyList<ToolChoice> Tools { get; init; }

    /// <summary>The limits that were asked for, and what is asked for beyond tools, a sentence each.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    /// <summary>How long; at most five, exactly one chosen.</summary>
    public required IReadOnlyList<Choice> Until { get; init; }

    /// <summary>How long it may do nothing before it must ask again, in words.</summary>
    public required string Idle { get; init; }

    /// <summary>The request this page shows and the answer must name.</summary>
    public string Transaction { get; init; } = "";

    public required string FormToken { get; init; }

    /// <summary>
    /// For the form by which somebody else takes the question over; null for a question to this person alone.
    /// </summary>
    public string? SignOutToken { get; init; }

    /// <summary>What was wrong with the last answer.</summary>
    public string? Problem { get; init; }
}

/// <summary>Something of the person that they can let be told, or not.</summary>
/// <param name="Scope">The scope that stands for it.</param>
/// <param name="Label">What it is.</param>
/// <param name="Value">What it would be told as.</param>
public sealed record ToldChoice(string Scope, string Label, string Value);

/// <summary>Who waits elsewhere for the answer, by what is known of the request.</summary>
/// <param name="Code">What the device shows; null where no device is.</param>
/// <param name="Message">What the client wants to be read beside the question: its own words.</param>
/// <param name="Since">When it asked.</param>
/// <param name="Network">Where it asked from.</param>
/// <param name="IsHere">That is the network this page is read in.</param>
public sealed record WaitingPlace(
    string? Code, string? Message, DateTimeOffset Since, string Network, bool IsHere);

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
