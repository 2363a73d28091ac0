using System.Text;
using Postern.Gateway.Inspect;
using Postern.Gateway.Relay;
using Postern.Gateway.Sessions;

namespace Postern.Gateway;

/// <summary>
/// What legacy clients expect of a server beside answers: a session, and that some things are taken note of. All of it
/// is settled here; servers of the modern era never hear of it.
/// </summary>
internal sealed class SessionDesk(
    SessionBook sessions, Upstreams upstreams, Announcements announcements, GrantWatch watch, TimeProvider clock)
{
    private static readonly TimeSpan PersonAnswersWithin = TimeSpan.FromMinutes(10);

    private static readonly string[] Levels =
        ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

    /// <summary>
    /// The visit with its session. Null, and answered with 404, when the session named is not this caller's: the client
    /// begins anew. Where one <paramref name="isNeeded"/>, naming none is 405, as from a server without sessions.
    /// </summary>
    public async ValueTask<Visit?> FindAsync(Visit visit, bool isNeeded)
    {
        var handle = visit.Http.Request.Headers[HttpRequests.SessionHeader];
        if (handle.Count is 0)
        {
            if (isNeeded)
            {
                visit.Writer.Close(StatusCodes.Status405MethodNotAllowed);
            }

            return isNeeded ? null : visit;
        }

        var (caller, server) = (visit.Admission.Caller, visit.Admission.Server.Name);
        if (handle is [{ } one] && await sessions.FindAsync(one, caller, server, visit.Gone) is { } session)
        {
            return visit with { Session = session };
        }

        visit.Writer.Close(StatusCodes.Status404NotFound);
        return null;
    }

    /// <summary>Settles what needs no errand; false for a request that must be carried.</summary>
    public async ValueTask<bool> SettlesAsync(Visit visit, Message message)
    {
        switch (message)
        {
            case { IsRequest: true, Method: Methods.Ping }:
                await visit.AnswerAsync("{}"u8, message);
                return true;
            case { IsRequest: true, Method: Methods.SetLevel } when visit.Session is { Line.Era: Era.Modern } session:
                await SetLevelAsync(visit, session, message);
                return true;
            case { IsRequest: true }:
                return false;
            default:
                await HearAsync(visit, message);
                return true;
        }
    }

    /// <summary>
    /// What a server says to a legacy client of its own accord, until the client leaves or its grant ends.
    /// </summary>
    public async Task ListenAsync(Visit visit)
    {
        if (DetailRules.ForbidsAllButTools(visit.Admission.Limited) is not null)
        {
            // As from a server that says nothing unasked: clients go on without.
            visit.Writer.Close(StatusCodes.Status405MethodNotAllowed);
            return;
        }

        var line = visit.Session!.Line;
        using var stay = new Stay(watch, visit, clock, TimeSpan.Zero);
        if (!stay.TryLast())
        {
            visit.Writer.Close(StatusCodes.Status429TooManyRequests);
            return;
        }

        try
        {
            await announcements.ListenAsync(visit.Admission.Server, line, visit.Writer, stay.Token);
        }
        catch (UpstreamException failure) when (!visit.Http.Response.HasStarted)
        {
            if (failure.SessionIsLost)
            {
                visit.Writer.Close(StatusCodes.Status404NotFound);
                return;
            }

            await visit.Writer.WriteAsync(failure.Error, default, visit.Gone);
        }
        catch (Exception end) when (end is UpstreamException or OperationCanceledException)
        {
            // The stream simply ends; the client may open another.
        }
    }

    /// <summary>The server knows the session no more: 404 tells the client, who alone can begin another.</summary>
    public async Task LoseAsync(Visit visit)
    {
        await sessions.EndAsync(visit.Session!);
        visit.Writer.Close(StatusCodes.Status404NotFound);
    }

    public async Task EndAsync(Visit visit)
    {
        var session = visit.Session!;
        await sessions.EndAsync(session);
        visit.Http.Response.StatusCode = StatusCodes.Status204NoContent;
        if (session.Line.Era is Era.Legacy)
        {
            await CloseAsync(upstreams.To(visit.Admission.Server), session.Line, visit.Gone);
        }
    }

    /// <summary>Asks the client on the stream of its own request; answers its result as JSON.</summary>
    public async Task<string> AskAsync(Visit visit, string method, string parameters, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(PersonAnswersWithin, clock);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            return await visit.Session!.AskAsync(
                method, parameters, async json => await visit.Writer.SendAsync(json, patience.Token), patience.Token)
                ?? throw new UpstreamException(
                    "The server wanted to ask the client, and the client answered with an error.");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new UpstreamException("The server wanted to ask the client, and the client did not answer in time.");
        }
    }

    private async Task HearAsync(Visit visit, Message message)
    {
        // Accepted, whatever it means: a client has no use for knowing.
        visit.Writer.Close(StatusCodes.Status202Accepted);
        if (visit.Session is not { } session || message.Method is Methods.Initialized)
        {
            return;
        }

        if (message.Method is Methods.Cancelled)
        {
            session.Cancel(Encoding.UTF8.GetString(message.Raw(message.At("params"u8, "requestId"u8))));
        }
        else if (message.IsResponse && session.TryAnswer(Encoding.UTF8.GetString(message.RawId), ResultOf(message)))
        {
            return;
        }
        else if (session.Line.Era is Era.Legacy && (message.IsResponse || Methods.IsTold(message.Method)))
        {
            // Nothing else: a call without an identifier is one all the same to a server that does not look.
            await PassOnAsync(visit, session.Line, message);
        }
    }

    private async Task PassOnAsync(Visit visit, Line line, Message message)
    {
        using var outgoing = Outgoing.Of(message, new(), default, []);
        try
        {
            await upstreams.To(visit.Admission.Server).TellAsync(line, outgoing, visit.Gone);
        }
        catch (UpstreamException failure)
        {
            visit.Writer.Close(failure.SessionIsLost ? StatusCodes.Status404NotFound : StatusCodes.Status502BadGateway);
        }
    }

    private async Task SetLevelAsync(Visit visit, LegacySession session, Message message)
    {
        if (message.Text(message.At("params"u8, "level"u8)) is not { } level || !Levels.Contains(level))
        {
            await visit.AnswerAsync(
                RpcError.BadArgument($"level must be one of {string.Join(", ", Levels)}."), message);
            return;
        }

        await sessions.SetLevelAsync(session, level);
        await visit.AnswerAsync("{}"u8, message);
    }

    private static async Task CloseAsync(IUpstream upstream, Line line, CancellationToken stop)
    {
        try
        {
            await upstream.CloseAsync(line, stop);
        }
        catch (UpstreamException)
        {
            // It is over on our side; the server will find out by itself.
        }
    }

    private static string? ResultOf(Message response) =>
        response.IsError ? null : Encoding.UTF8.GetString(response.Raw(response.Result));
}
