using System.Security.Cryptography;

namespace Postern.Gateway.Relay;

/// <summary>
/// Calls that wait at legacy servers for what modern clients have been asked. Each is taken once, by its name, which
/// only a sealed state holds; it ends with its grant and after a while. They are known on this node alone.
/// </summary>
internal sealed class ParkedCalls(GrantWatch watch, TimeProvider clock, RandomNumberGenerator random) : IAsyncDisposable
{
    public const int MostPerGrant = 8, Most = 256;

    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Lock parking = new();
    private readonly Dictionary<string, Place> places = new(StringComparer.Ordinal);

    /// <summary>Keeps a call and answers its name; null when too many wait, or its grant has just ended.</summary>
    public string? TryPark(OpenCall call, out bool isOver)
    {
        isOver = false;
        var name = Secret.New(random).Reveal();
        var place = new Place(call);
        lock (parking)
        {
            if (places.Count >= Most || places.Values.Count(other => IsOfSameGrant(other.Call, call)) >= MostPerGrant)
            {
                return null;
            }

            places[name] = place;
        }

        var watched = watch.Enter(call.Grant, clock.GetUtcNow() + Patience, () => _ = DropAsync(name));
        if (watched is not null && TryWatch(name, watched))
        {
            return name;
        }

        isOver = watched is not null;
        watched?.Dispose();
        _ = TryRemove(name);
        return null;
    }

    // False when it was cut in the moment its watch began.
    private bool TryWatch(string name, IDisposable watched)
    {
        lock (parking)
        {
            if (places.GetValueOrDefault(name) is not { } place)
            {
                return false;
            }

            place.Watched = watched;
            return true;
        }
    }

    /// <summary>The call of a name, to look at.</summary>
    public OpenCall? Find(string name)
    {
        lock (parking)
        {
            return places.GetValueOrDefault(name)?.Call;
        }
    }

    /// <summary>The call of a name, for the one who asks first.</summary>
    public OpenCall? Take(string name) => TryRemove(name)?.Call;

    public async ValueTask DisposeAsync()
    {
        string[] names;
        lock (parking)
        {
            names = [.. places.Keys];
        }

        await Task.WhenAll(names.Select(DropAsync));
    }

    private async Task DropAsync(string name)
    {
        if (TryRemove(name) is { } place)
        {
            await place.Call.DisposeAsync();
        }
    }

    private Place? TryRemove(string name)
    {
        Place? place;
        lock (parking)
        {
            places.Remove(name, out place);
        }

        place?.Watched?.Dispose();
        return place;
    }

    private static bool IsOfSameGrant(OpenCall one, OpenCall other) =>
        one.Grant.Id == other.Grant.Id && one.Grant.Tenant == other.Grant.Tenant;

    private sealed class Place(OpenCall call)
    {
        public OpenCall Call => call;

        public IDisposable? Watched { get; set; }
    }
}
