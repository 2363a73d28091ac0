using Postern.Gateway.Relay;

namespace Postern.Gateway;

/// <summary>
/// How long a request may run: as long as its client stays or, where leaving is no cancelling, a while longer; and when
/// it turns out to last, only while its token and grant do.
/// </summary>
internal sealed class Stay : IDisposable
{
    private readonly GrantWatch watch;
    private readonly Visit visit;
    private readonly TimeProvider clock;
    private readonly Lock ending = new();
    private readonly CancellationTokenSource cut = new();
    private readonly CancellationTokenRegistration leaving;
    private IDisposable? watched;
    private ITimer? deserted;
    private bool isOver;

    public Stay(GrantWatch watch, Visit visit, TimeProvider clock, TimeSpan afterLeaving)
    {
        (this.watch, this.visit, this.clock) = (watch, visit, clock);
        leaving = visit.Gone.UnsafeRegister(_ => CutAfter(afterLeaving), null);
    }

    public CancellationToken Token => cut.Token;

    /// <summary>The client has said that it no longer wants the answer.</summary>
    public bool IsCutByClient { get; private set; }

    /// <summary>It was cut because the grant has too many requests that last.</summary>
    public bool IsCrowdedOut { get; private set; }

    /// <summary>Puts the request under watch. False, and cut, when the grant has too many such requests.</summary>
    public bool TryLast()
    {
        var (grant, token) = (visit.Admission.Grant, visit.Admission.Token);
        watched ??= watch.Enter(grant, token.ExpiresAt, Cut, [token.Id, .. token.Ancestors]);
        if (watched is null)
        {
            IsCrowdedOut = true;
            Cut();
        }

        return watched is not null;
    }

    public void CutByClient()
    {
        IsCutByClient = true;
        Cut();
    }

    public void Dispose()
    {
        leaving.Dispose();
        watched?.Dispose();
        lock (ending)
        {
            isOver = true;
        }

        deserted?.Dispose();
        cut.Dispose();
    }

    private void CutAfter(TimeSpan after)
    {
        lock (ending)
        {
            deserted = isOver ? null : clock.CreateTimer(_ => Cut(), null, after, Timeout.InfiniteTimeSpan);
        }
    }

    // What goes on after it runs elsewhere: the caller is the change feed, the clock or another request.
    private void Cut()
    {
        lock (ending)
        {
            _ = isOver ? Task.CompletedTask : cut.CancelAsync();
        }
    }
}
