using System.Diagnostics;
using System.Text;
using Postern.Gateway.Inspect;
using Postern.Gateway.Protect;
using Postern.Gateway.Relay;
using Postern.Policy;

namespace Postern.Gateway;

/// <summary>Runs one request: may they, then there and back, and what to say when it cannot be done.</summary>
internal sealed partial class Errand(
    Gatekeeper keeper, ToolGate tools, TransactionStamps stamps, Conversation conversation, SessionDesk desk,
    TaskOwners tasks, GrantWatch watch, TimeProvider clock, ILogger<Errand> logger)
{
    // A legacy client that went away has not cancelled, but nothing runs for ever.
    private static readonly TimeSpan Deserted = TimeSpan.FromMinutes(5);

    public async Task RunAsync(Visit visit, Message message)
    {
        switch (message.Method)
        {
            case Methods.ToolsCall:
                await CallToolAsync(visit, message);
                break;
            case var method when method is Methods.Initialize || !Methods.IsServed(method, visit.Writer.Era):
                await visit.AnswerAsync(RpcError.UnknownMethod(method), message);
                break;
            case var method when Methods.IsOfTask(method):
                await (HasTask(visit, message)
                    ? RelayAsync(visit, message)
                    : visit.AnswerAsync(RpcError.BadArgument("There is no such task."), message).AsTask());
                break;
            case Methods.ToolsList:
                tools.RecordList(visit.Http, visit.Admission, await RelayAsync(visit, message));
                break;
            case Methods.Discover or Methods.SetLevel:
                await RelayAsync(visit, message);
                break;
            case var _ when WhyNotRead(visit.Admission) is { } because:
                await RefuseAsync(visit, new(because, Scopes.Of(Scopes.Read), null), message);
                break;
            default:
                await RelayAsync(visit, message);
                break;
        }
    }

    /// <summary>Does something for a message, and turns what its server fails at into the client's answer.</summary>
    public async Task<string> TryAsync(Visit visit, Message message, Func<Stay, Task<bool>> act)
    {
        using var stay = new Stay(watch, visit, clock, visit.Writer.Era is Era.Modern ? TimeSpan.Zero : Deserted);
        var id = visit.Session is null ? "" : Encoding.UTF8.GetString(message.RawId);
        if (visit.Session?.TryBegin(id, stay.CutByClient) is false)
        {
            await visit.AnswerAsync(
                RpcError.InvalidRequest("This id is in use, or too many requests of the session are."), message);
            return "error";
        }

        try
        {
            return await act(stay) ? "ok" : "error";
        }
        catch (UpstreamException failure)
        {
            Log.Failed(logger, visit.Admission.Server.Name, failure.Message);
            await FailAsync(visit, message, failure);
            return "error";
        }
        catch (OperationCanceledException) when (stay.Token.IsCancellationRequested)
        {
            await EndAsync(visit, message, stay);
            return "cancelled";
        }
        finally
        {
            visit.Session?.Finish(id);
        }
    }

    private async Task CallToolAsync(Visit visit, Message message)
    {
        if (message.Text(Agreement.NamePart(message)) is not { Length: > 0 and <= ToolDefinition.MaxName } name)
        {
            await visit.AnswerAsync(RpcError.BadArgument("params.name must name a tool."), message);
            return;
        }

        switch (await tools.AskAsync(visit.Http, visit.Admission, name, message))
        {
            case null:
                await visit.AnswerAsync(
                    RpcError.BadArgument("There is no such tool. Call tools/list to see those there are."), message);
                break;
            case Verdict.No no:
                await RefuseAsync(visit, no, message);
                break;
            case Verdict.Yes { Permit: var permit }:
                await CallToolAsync(visit, message, permit);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private async Task CallToolAsync(Visit visit, Message message, Permit permit)
    {
        var era = visit.Writer.Era;
        if (tools.MirroredHeaders(visit.Http, visit.Admission, message, era, out var headers) is { } mismatch)
        {
            // Whether or not anybody is there to hear it.
            await tools.CloseAsync(permit, "error", TimeSpan.Zero, new());
            await visit.AnswerAsync(mismatch, message);
            return;
        }

        var (began, departure) = (clock.GetTimestamp(), new Departure());
        var status = "unknown";
        try
        {
            var stamp = stamps.For(visit.Http, visit.Admission, permit, message);
            status = await TryAsync(visit, message, stay => conversation.CallToolAsync(
                permit,
                CallOf(visit, message, stay) with { Headers = headers, Stamp = stamp, Departure = departure },
                visit.Writer,
                stay.Token));
        }
        finally
        {
            await tools.CloseAsync(permit, status, clock.GetElapsedTime(began), departure);
        }
    }

    private Task<string> RelayAsync(Visit visit, Message message) => TryAsync(visit, message, stay =>
    {
        // A stream for notifications lasts from the start.
        _ = message.Method is not Methods.Listen || stay.TryLast();
        return conversation.RelayAsync(CallOf(visit, message, stay), visit.Writer, stay.Token);
    });

    private static string? WhyNotRead(Admission admission) => admission.Grant.Scopes.Has(Scopes.Read)
        ? DetailRules.ForbidsAllButTools(admission.Limited)
        : "the grant does not reach what the server lets one read";

    private bool HasTask(Visit visit, Message message) =>
        tasks.Has(visit.Admission.Server, visit.Admission.Caller, message.Text(message.At("params"u8, "taskId"u8)));

    private Call CallOf(Visit visit, Message message, Stay stay) =>
        new(visit.Admission.Server, visit.Admission.Caller, visit.Admission.Grant, message, visit.Writer.Era)
        {
            Limited = visit.Admission.Limited,
            SessionLine = visit.Session?.Line,
            Lasts = () => stay.TryLast(),
            AskClient = visit.Session is null
                ? null
                : (method, parameters, stop) => desk.AskAsync(visit, method, parameters, stop),
        };

    private static ValueTask RefuseAsync(Visit visit, Verdict.No no, Message message) => visit.Writer.IsStreaming
        ? visit.AnswerAsync(Gatekeeper.Refusal(visit.Admission, no), message)
        : Gatekeeper.RefuseAsync(visit.Http, visit.Admission, no, message.RawId);

    private async Task FailAsync(Visit visit, Message message, UpstreamException failure)
    {
        if (visit.Gone.IsCancellationRequested)
        {
            return;
        }

        await (failure.SessionIsLost && visit.Session is not null
            ? desk.LoseAsync(visit)
            : visit.AnswerAsync(failure.Error, message).AsTask());
    }

    private ValueTask EndAsync(Visit visit, Message message, Stay stay)
    {
        if (visit.Gone.IsCancellationRequested || stay.IsCutByClient)
        {
            return default;
        }

        if (stay.IsCrowdedOut)
        {
            return visit.AnswerAsync(
                RpcError.Upstream(
                    $"Stopped: this grant has {GrantWatch.MostPerGrant} calls that last. Wait for one to end.", 429),
                message);
        }

        if (message.Method is not Methods.Listen && !visit.Writer.IsStreaming)
        {
            keeper.Challenge(visit.Http, visit.Admission.Server);
        }

        // Its end is an answer, after which the client asks again and learns from the 401 what to do.
        return message.Method is Methods.Listen
            ? visit.AnswerAsync(
                [
                    .. "{\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":"u8,
                    .. message.RawId,
                    .. "}}"u8,
                ],
                message)
            : visit.AnswerAsync(Gatekeeper.CutShort, message);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The server {Server} failed: {Cause}")]
        public static partial void Failed(ILogger logger, string server, string cause);
    }
}
