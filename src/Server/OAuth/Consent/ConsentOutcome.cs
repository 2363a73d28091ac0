namespace Postern.OAuth.Consent;

/// <summary>What became of an answer.</summary>
internal abstract record ConsentOutcome
{
    private ConsentOutcome()
    {
    }

    /// <param name="Grant">What was allowed.</param>
    /// <param name="IsFirst">It was allowed by this very answer: what follows an answer follows this one alone.</param>
    public sealed record Granted(Grant Grant, bool IsFirst) : ConsentOutcome;

    /// <param name="IsFirst">It was denied by this very answer.</param>
    public sealed record Denied(bool IsFirst) : ConsentOutcome;

    /// <summary>The question was answered before, and not like this.</summary>
    public sealed record Answered : ConsentOutcome;

    /// <summary>The server was removed while the page lay open, or the client is registered no more.</summary>
    public sealed record Gone : ConsentOutcome;
}
