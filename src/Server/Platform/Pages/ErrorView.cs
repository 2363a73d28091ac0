namespace Postern.Platform.Pages;

/// <summary>
/// A refusal in three parts: what happened, whose decision it was, what to do next. <paramref name="NextUrl"/> is one
/// of our own paths.
/// </summary>
public sealed record ErrorView(string What, string Whose, string Next, string? NextUrl = null, string? NextWords = null)
{
    /// <summary>What an outsider said about it, quoted as theirs.</summary>
    public string? TheySay { get; init; }

    /// <summary>Finds the log line that holds the precise reason; it tells an outsider nothing.</summary>
    public string? Reference { get; init; }
}
