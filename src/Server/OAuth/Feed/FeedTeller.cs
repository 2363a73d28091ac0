using System.Globalization;
using System.Text;
using Postern.Grants;
using Postern.Platform.Database;

namespace Postern.OAuth.Feed;

/// <summary>
/// Tells one follower of its resource: <c>grant</c> and <c>token</c> name what is over, <c>beat</c> says every five
/// seconds that all until then has been told. Each <c>off</c> names a grant in which somebody is switched off;
/// <c>on</c> comes when all of those are named, with their number, and takes back what was off before and was not named
/// again. Whatever is told is read in pages: nobody who is off waits in memory.
/// </summary>
internal sealed class FeedTeller(
    RevocationFeed feed, GrantLists grants, RevokedTokens tokens, OffGrants off, Changes changes, TimeProvider clock)
    : IDisposable
{
    private const int Page = 1000;

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    // One switch makes all who follow look at once.
    private readonly SemaphoreSlim looking = new(2);

    /// <summary>Tells what is stored, and then whatever comes, for as long as its reader may follow.</summary>
    public async Task TellAsync(
        Stream stream,
        Follower follower,
        long since,
        Func<CancellationToken, ValueTask<bool>> mayFollow,
        CancellationToken stop)
    {
        // It is followed already, so that nothing falls between what is stored and what comes.
        await TellStoredAsync(stream, follower, since, stop);
        await TellOffAsync(stream, follower, stop);
        await GoOnAsync(stream, follower, mayFollow, stop);
    }

    public void Dispose() => looking.Dispose();

    private async Task TellStoredAsync(
        Stream stream, Follower follower, long since, CancellationToken stop)
    {
        var (last, page) = (new GrantEnd("", since), new List<GrantEnd>());
        do
        {
            page = await grants.EndedAsync(follower.Tenant, follower.Resource, last, Page, stop);
            last = page is [.., var newest] ? newest : last;
            await WriteAsync(stream, [.. page.Select(end => new Ended("grant", end.Id))], stop);
        }
        while (page.Count is Page);

        var (name, names) = ("", new List<string>());
        do
        {
            names = await tokens.OfResourceAsync(follower.Tenant, follower.Resource, name, Page, stop);
            name = names is [.., var newest] ? newest : name;
            await WriteAsync(stream, [.. names.Select(token => new Ended("token", token))], stop);
        }
        while (names.Count is Page);
    }

    private async Task TellOffAsync(Stream stream, Follower follower, CancellationToken stop)
    {
        var (name, page, count) = ("", new List<string>(), 0);
        do
        {
            page = await LookAsync(follower, name, stop);
            name = page is [.., var newest] ? newest : name;
            count += page.Count;
            foreach (var some in page.Chunk(Page))
            {
                await WriteAsync(stream, [.. some.Select(grant => new Ended("off", grant))], stop);
            }
        }
        while (page.Count is OffGrants.Page);

        await WriteAsync(stream, [new("on", count.ToString(CultureInfo.InvariantCulture))], stop);
    }

    private async Task<List<string>> LookAsync(
        Follower follower, string after, CancellationToken stop)
    {
        await looking.WaitAsync(stop);
        try
        {
            return await off.AtAsync(follower.Tenant, follower.Resource, after, stop);
        }
        finally
        {
            looking.Release();
        }
    }

    // A node that does not hear what others end falls silent itself, so that its followers know; and nobody follows on
    // who may not any more.
    private async Task GoOnAsync(
        Stream stream,
        Follower follower,
        Func<CancellationToken, ValueTask<bool>> mayFollow,
        CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Beat, clock);
        await BeatAsync(stream, follower, stop);
        var ticking = timer.WaitForNextTickAsync(stop).AsTask();
        var coming = follower.News.WaitToReadAsync(stop).AsTask();
        while (changes.IsHearing && await mayFollow(stop))
        {
            if (await Task.WhenAny(coming, ticking) == ticking)
            {
                await ticking;
                if (!await mayFollow(stop))
                {
                    return;
                }

                await BeatAsync(stream, follower, stop);
                ticking = timer.WaitForNextTickAsync(stop).AsTask();
            }
            else if (await coming)
            {
                await TellNewsAsync(stream, follower, stop);
                coming = follower.News.WaitToReadAsync(stop).AsTask();
            }
            else
            {
                return;
            }
        }
    }

    private async Task TellNewsAsync(Stream stream, Follower follower, CancellationToken stop)
    {
        var (news, mustLook) = follower.Take(Page);
        await WriteAsync(stream, news, stop);
        if (mustLook)
        {
            await TellOffAsync(stream, follower, stop);
        }
    }

    // The time is read first and what waits is looked at then: what ended before it has been told, or it is not said.
    private Task BeatAsync(Stream stream, Follower follower, CancellationToken stop)
    {
        var until = clock.GetUtcNow().ToUnixTimeSeconds();
        return !changes.IsHearing || feed.IsBehind || follower.IsBehind
            ? Task.CompletedTask
            : WriteAsync(
                stream, string.Create(CultureInfo.InvariantCulture, $"event: beat\nid: {until}\ndata:\n\n"), stop);
    }

    private static Task WriteAsync(Stream stream, List<Ended> news, CancellationToken stop) => WriteAsync(
        stream, string.Concat(news.Select(ended => $"event: {ended.What}\ndata: {ended.Id}\n\n")), stop);

    private static async Task WriteAsync(Stream stream, string text, CancellationToken stop)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text), stop);
        await stream.FlushAsync(stop);
    }
}
