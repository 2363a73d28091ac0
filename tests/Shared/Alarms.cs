namespace Postern.Tests.Shared;

/// <summary>
/// The timers of a clock that a test owns. They are the machine's; one that a test would have to wait for can be let go
/// off.
/// </summary>
internal sealed class Alarms
{
    private readonly Lock setting = new();
    private readonly List<Alarm> set = [];

    public ITimer Set(TimerCallback callback, object? state, TimeSpan due, TimeSpan period)
    {
        var alarm = new Alarm(this, TimeProvider.System.CreateTimer(callback, state, due, period))
        {
            IsDeadline = state is CancellationTokenSource,
        };
        Note(alarm, due);
        return alarm;
    }

    /// <summary>Lets the one that was last set to so long go off, once there is one.</summary>
    public Task RingAsync(TimeSpan due) => Eventually.TrueAsync(() => TryRing(alarm => alarm.Due == due));

    /// <summary>The same, but none that only ends somebody's waiting: those come and go with each answer.</summary>
    public Task RingTimerAsync(TimeSpan due) =>
        Eventually.TrueAsync(() => TryRing(alarm => alarm.Due == due && !alarm.IsDeadline));

    private bool TryRing(Predicate<Alarm> isMeant)
    {
        lock (setting)
        {
            return set.FindLast(isMeant)?.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan) is true;
        }
    }

    private void Note(Alarm alarm, TimeSpan due)
    {
        lock (setting)
        {
            set.Remove(alarm);
            set.Add(alarm);
            alarm.Due = due;
        }
    }

    private void Forget(Alarm alarm)
    {
        lock (setting)
        {
            set.Remove(alarm);
        }
    }

    private sealed class Alarm(Alarms owner, ITimer timer) : ITimer
    {
        public TimeSpan Due { get; set; }

        public bool IsDeadline { get; init; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            owner.Note(this, dueTime);
            return timer.Change(dueTime, period);
        }

        public void Dispose()
        {
            owner.Forget(this);
            timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            owner.Forget(this);
            return timer.DisposeAsync();
        }
    }
}
