namespace Postern.Hosting.Sandbox;

/// <summary>Whether commands can be shut in on this machine.</summary>
internal abstract record TrialOutcome
{
    private TrialOutcome()
    {
    }

    /// <param name="Level">What holds, in words for an operator.</param>
    public sealed record Holds(string Level) : TrialOutcome;

    /// <param name="Because">Why not, and what the operator can do.</param>
    public sealed record Fails(string Because) : TrialOutcome;
}
