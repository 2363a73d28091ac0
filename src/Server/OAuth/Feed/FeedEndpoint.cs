using System.Globalization;
using System.Text;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Database;
using Postern.Platform.Http;

namespace Postern.OAuth.Feed;

/// <summary>
/// A stream for a resource server, of what ended at its own resource: <c>grant</c> and <c>token</c> name what is over,
/// <c>beat</c> says every five seconds that all until then has been told. Whoever comes back says by
/// <c>Last-Event-ID</c> until when it knows; whoever is new is told of the last hour, since no token is older.
/// </summary>
internal sealed class FeedEndpoint(
    ClientAuthenticator clients,
    RevocationFeed feed,
    GrantStore grants,
    RevokedTokens tokens,
    Switches switches,
    Changes changes,
    IHostApplicationLifetime life,
    TimeProvider clock)
{
    public const string Path = "/revocations";

    private const int Page = 1000;

    /// <summary>
    /// Longer than an access token lives; and what an end may be late, from the second it bears to its commit.
    /// </summary>
    private static readonly TimeSpan Reach = TimeSpan.FromMinutes(65), Overlap = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    /// <summary>How long a stream goes on before its reader proves itself again.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapGet(Path, (HttpContext http, FeedEndpoint feed) => feed.AnswerAsync(http))
        .Open();

    private async Task<IResult> AnswerAsync(HttpContext http)
    {
        var stop = http.RequestAborted;
        if ((await clients.AuthenticateAsync(http.Request, stop)).Failed(out var error, out var presenter))
        {
            return error.ToHttp();
        }

        if (http.Request.Query["resource"] is not [{ } resource] || !presenter.Client.Introspects.Contains(resource))
        {
            return new OAuthError(
                "access_denied", "Name one resource, which this client serves.", StatusCodes.Status403Forbidden)
                .ToHttp();
        }

        if (!changes.IsHearing || feed.Follow(presenter.Tenant.Id, presenter.Client.Id, resource) is not { } follower)
        {
            return new OAuthError(
                "temporarily_unavailable", "Nobody more can be told now.", StatusCodes.Status503ServiceUnavailable)
                .ToHttp();
        }

        return new Told(stream => TellAsync(stream, follower, SinceOf(http), stop));
    }

    // What it was told before counts, within what a token can live.
    private long SinceOf(HttpContext http)
    {
        var now = clock.GetUtcNow();
        var (first, last) = ((now - Reach).ToUnixTimeSeconds(), now.ToUnixTimeSeconds());
        return http.Request.Headers["Last-Event-ID"] is [{ Length: <= 20 } text]
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var known)
                ? Math.Clamp(known - (long)Overlap.TotalSeconds, first, last)
                : first;
    }

    private async Task TellAsync(
        Stream stream, RevocationFeed.Follower follower, long since, CancellationToken left)
    {
        using (follower)
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(left, life.ApplicationStopping);
            using var longest = new CancellationTokenSource(Longest, clock);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(ending.Token, longest.Token);
            try
            {
                // It is followed already, so that nothing falls between what is stored and what comes.
                await TellStoredAsync(stream, follower, since, stop.Token);
                await GoOnAsync(stream, follower, stop.Token);
            }
            catch (OperationCanceledException)
            {
                // It left, or we do.
            }
        }
    }

    private async Task TellStoredAsync(
        Stream stream, RevocationFeed.Follower follower, long since, CancellationToken stop)
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

    // A node that does not hear what others end falls silent itself, so that its followers know; and nobody follows on
    // who is switched off.
    private async Task GoOnAsync(Stream stream, RevocationFeed.Follower follower, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Beat, clock);
        await BeatAsync(stream, follower, stop);
        var ticking = timer.WaitForNextTickAsync(stop).AsTask();
        var coming = follower.News.WaitToReadAsync(stop).AsTask();
        while (changes.IsHearing && switches.WhyOff(follower.Tenant, follower.Client) is null)
        {
            if (await Task.WhenAny(coming, ticking) == ticking)
            {
                await ticking;
                await BeatAsync(stream, follower, stop);
                ticking = timer.WaitForNextTickAsync(stop).AsTask();
                continue;
            }

            if (!await coming)
            {
                return;
            }

            var news = new List<Ended>();
            while (news.Count < Page && follower.News.TryRead(out var ended))
            {
                news.Add(ended);
            }

            await WriteAsync(stream, news, stop);
            coming = follower.News.WaitToReadAsync(stop).AsTask();
        }
    }

    // The time is read first and what waits is looked at then: what ended before it has been told, or it is not said.
    private Task BeatAsync(Stream stream, RevocationFeed.Follower follower, CancellationToken stop)
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

    private sealed class Told(Func<Stream, Task> tell) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.ContentType = "text/event-stream";
            httpContext.Response.Headers.CacheControl = "no-store";
            // Some proxies keep a stream until it is long enough.
            httpContext.Response.Headers["X-Accel-Buffering"] = "no";
            return tell(httpContext.Response.Body);
        }
    }
}
