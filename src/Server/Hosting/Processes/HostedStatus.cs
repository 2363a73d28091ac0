namespace Postern.Hosting.Processes;

/// <summary>What an instance is doing. Of several, the greatest is what their server is said to do.</summary>
internal enum HostedState
{
    /// <summary>No process; the next call starts one.</summary>
    Idle,
    Starting,
    Running,

    /// <summary>Crashed too often; not started until the window has passed or somebody restarts it.</summary>
    Error,
}

/// <summary>One instance as an operator sees it.</summary>
/// <param name="Id">A fingerprint of whom it serves; <c>shared</c> when it serves everybody.</param>
/// <param name="Since">When the process started; null without one.</param>
internal sealed record HostedStatus(
    TenantId Tenant,
    string Server,
    string Id,
    HostedState State,
    DateTimeOffset? Since,
    int Starts,
    int Crashes,
    IReadOnlyList<string> LastErrors);
