namespace Postern.OAuth.Register;

/// <summary>
/// How many clients may register themselves in any hour, from one network and in all. It remembers the registrations of
/// the last hour, of which there are no more than those of all networks together.
/// </summary>
internal sealed class RegistrationQuota(TimeProvider clock, int perNetwork, int inAll)
{
    private static readonly TimeSpan Window = TimeSpan.FromHours(1);

    private readonly Lock gate = new();
    private readonly Queue<Taken> taken = new();

    /// <summary>Takes one; or says how long this network has to wait for the next.</summary>
    public TimeSpan? MustWait(string network)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            while (taken.TryPeek(out var old) && old.At + Window <= now)
            {
                taken.Dequeue();
            }

            var own = taken.Where(one => one.Network == network).ToList();
            if (own.Count >= perNetwork || taken.Count >= inAll)
            {
                return (own.Count >= perNetwork ? own[0] : taken.Peek()).At + Window - now;
            }

            taken.Enqueue(new(now, network));
            return null;
        }
    }

    private sealed record Taken(DateTimeOffset At, string Network);
}
