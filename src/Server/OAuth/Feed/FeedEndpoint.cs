using System.Globalization;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Database;
using Postern.Platform.Http;

namespace Postern.OAuth.Feed;

/// <summary>
/// A stream for a resource server, of what ended and who is switched off at its own resource (<see
/// cref="FeedTeller"/>). Whoever comes back says by <c>Last-Event-ID</c> until when it knows; whoever is new is told of
/// the last hour, since no token is older.
/// </summary>
internal sealed class FeedEndpoint(
    ClientAuthenticator clients,
    RevocationFeed feed,
    FeedTeller teller,
    Changes changes,
    IHostApplicationLifetime life,
    TimeProvider clock)
{
    public const string Path = "/revocations";

    /// <summary>What an end may be late, from the second it bears to its commit.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(1);

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

        var since = SinceOf(http);
        return new Told(async stream =>
        {
            using (follower)
            {
                await UntilAsync(
                    until => teller.TellAsync(
                        stream, follower, since, again => MayFollowAsync(http, presenter, resource, again), until),
                    stop);
            }
        });
    }

    // What it was told before counts, within what a token can live.
    private long SinceOf(HttpContext http)
    {
        var now = clock.GetUtcNow();
        var (first, last) = ((now - RevokedTokens.Kept).ToUnixTimeSeconds(), now.ToUnixTimeSeconds());
        return http.Request.Headers["Last-Event-ID"] is [{ Length: <= 20 } text]
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var known)
                ? Math.Clamp(known - (long)Overlap.TotalSeconds, first, last)
                : first;
    }

    private async Task UntilAsync(Func<CancellationToken, Task> tell, CancellationToken left)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(left, life.ApplicationStopping);
        using var longest = new CancellationTokenSource(Longest, clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ending.Token, longest.Token);
        try
        {
            await tell(stop.Token);
        }
        catch (OperationCanceledException)
        {
            // It left, or we do.
        }
    }

    // Asked of what it came with: a secret has its day, and its list is an operator's to shorten.
    private async ValueTask<bool> MayFollowAsync(
        HttpContext http, Presenter presenter, string resource, CancellationToken stop) =>
        await clients.StillAsync(http.Request, presenter, stop) is { } client && client.Introspects.Contains(resource);

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
