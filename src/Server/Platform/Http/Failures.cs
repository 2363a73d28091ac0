using Postern.Platform.Database;
using Postern.Platform.Outbound;
using Postern.Platform.Pages;

namespace Postern.Platform.Http;

/// <summary>
/// What becomes of an exception: an outage of the database, or no room to fetch, is a 503 that may be tried again,
/// anything else a bug, whose trace goes to the log and never to the caller.
/// </summary>
internal sealed partial class Failures(RequestDelegate next, ILogger<Failures> logger)
{
    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to answer.
        }
        catch (BadHttpRequestException malformed) when (!http.Response.HasStarted)
        {
            await AnswerAsync(
                http, new("invalid_request", "The request is malformed or too large.", malformed.StatusCode));
        }
        catch (DatabaseUnavailableException outage) when (!http.Response.HasStarted)
        {
            Log.Outage(logger, outage.Message);
            await AnswerAsync(http, new(
                "temporarily_unavailable", "The server cannot reach its database. Try again shortly.", 503)
            {
                Reason = outage.Message,
            });
        }
        catch (NoRoomException full) when (!http.Response.HasStarted)
        {
            await AnswerAsync(http, new("temporarily_unavailable", $"{full.Message} Try again shortly.", 503)
            {
                Reason = "no room to fetch",
                RetryAfter = full.RetryAfter,
            });
        }
        catch (Exception bug) when (!http.Response.HasStarted)
        {
            Log.Bug(logger, http.Request.Method, http.Request.Path, bug);
            await AnswerAsync(
                http, new("server_error", "The server failed to answer; the operator's log says why.", 500));
        }
    }

    private static Task AnswerAsync(HttpContext http, OAuthError error)
    {
        http.Response.Clear();
        return AnswerTo(http.Request, error).ExecuteAsync(http);
    }

    private static IResult AnswerTo(HttpRequest request, OAuthError error)
    {
        if (Missing.WantsProblem(request))
        {
            return new Problem(error.Status, error.Description);
        }

        return Missing.WantsPage(request)
            ? new PageResult<ErrorPage, ErrorView>(new(
                "That did not work", error.Description, "Go back and try again; nothing was lost."))
            {
                Status = error.Status,
                RetryAfter = error.RetryAfter,
            }
            : error.ToHttp();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The database cannot be reached: {Cause}")]
        public static partial void Outage(ILogger logger, string cause);

        [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
        public static partial void Bug(ILogger logger, string method, string path, Exception bug);
    }
}
