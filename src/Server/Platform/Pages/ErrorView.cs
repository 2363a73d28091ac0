namespace Postern.Platform.Pages;

/// <summary>
/// A refusal in three parts: what happened, whose decision it was, what to do next. <paramref name="NextUrl"/> is one
/// of our own paths.
/// </summary>
public sealed record ErrorView(
    string What, string Whose, string Next, string? NextUrl = null, string? NextWords = null);
