namespace Postern.OAuth.Consent;

/// <summary>What became of a yes.</summary>
internal abstract record ConsentOutcome
{
    private ConsentOutcome()
    {
    }

    public sealed record Granted(Grant Grant) : ConsentOutcome;

    /// <summary>The question was answered before, and not like this.</summary>
    public sealed record Answered : ConsentOutcome;

    /// <summary>The server was removed while the page lay open, or the client is registered no more.</summary>
    public sealed record Gone : ConsentOutcome;
}
