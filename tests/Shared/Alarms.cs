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
        var alarm = new Alarm(this, TimeProvider.System.CreateTimer(callback, state, due, period));
        Note(alarm, due);
        return alarm;
    }

    /// <summary>How many go off after so long from when they were set.</summary>
    public int Count(TimeSpan due)
    {
        lock (setting)
        {
            return set.Count(alarm => alarm.Due == due);
        }
    }

    /// <summary>Lets the one that was last set to so long go off, once there is one.</summary>
    public Task RingAsync(TimeSpan due) => Eventually.TrueAsync(() => TryRing(due));

    private bool TryRing(TimeSpan due)
    {
        lock (setting)
        {
            return set.FindLast(alarm => alarm.Due == due)?.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan) is true;
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
