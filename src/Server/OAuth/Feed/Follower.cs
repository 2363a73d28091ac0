using System.Threading.Channels;

namespace Postern.OAuth.Feed;

/// <summary>Somebody who follows a resource.</summary>
internal sealed class Follower(RevocationFeed feed, TenantId tenant, ClientId client, string resource) : IDisposable
{
    private readonly Channel<Ended> news =
        Channel.CreateBounded<Ended>(new BoundedChannelOptions(RevocationFeed.Waiting) { SingleReader = true });

    private int mustLook;

    public TenantId Tenant => tenant;

    public ClientId Client => client;

    public string Resource => resource;

    /// <summary>What ended since it began; it completes when the follower was cut off.</summary>
    public ChannelReader<Ended> News => news.Reader;

    /// <summary>Whether something has not been read from it yet, or was left out.</summary>
    public bool IsBehind => News.Count > 0 || News.Completion.IsCompleted;

    public void Tell(Ended ended)
    {
        if (!news.Writer.TryWrite(ended))
        {
            Cut();
        }
    }

    /// <summary>Lets it look again at who is off, once for however many changes, when it comes to that.</summary>
    public void LetLook()
    {
        if (Interlocked.Exchange(ref mustLook, 1) is 0)
        {
            Tell(Ended.LookAgain);
        }
    }

    /// <summary>What came next, at most so many; and whether it must look again at who is off.</summary>
    public (List<Ended> News, bool MustLook) Take(int most)
    {
        var taken = new List<Ended>();
        while (taken.Count < most && news.Reader.TryRead(out var ended))
        {
            taken.Add(ended);
        }

        // Before it looks: what is turned meanwhile lets it look once more.
        return (taken, taken.Remove(Ended.LookAgain) && Interlocked.Exchange(ref mustLook, 0) is 1);
    }

    public void Cut() => news.Writer.TryComplete();

    public void Dispose()
    {
        Cut();
        feed.Leave(this);
    }
}

/// <summary>A grant or a token that ended, by its name.</summary>
internal sealed record Ended(string What, string Id)
{
    /// <summary>Nothing that ended: whoever reads it looks at who is off.</summary>
    public static readonly Ended LookAgain = new("", "");
}
