namespace Postern.Hosting.Processes;

/// <summary>What came of asking for a hosted server. The constructor is private: these two are all there are.</summary>
internal abstract record AcquireOutcome
{
    private AcquireOutcome()
    {
    }

    public sealed record Running(HostedProcess Process) : AcquireOutcome;

    /// <param name="Sentence">For the caller: what to do.</param>
    /// <param name="Reason">For the log and the operator: exactly why.</param>
    /// <param name="RetryAfter">When asking again may help; null when a person must act first.</param>
    public sealed record Refused(string Sentence, string Reason, TimeSpan? RetryAfter) : AcquireOutcome;
}
