using Postern.Gateway.Inspect;
using Postern.Gateway.Protect;
using Postern.Gateway.Relay;
using Postern.Platform;
using Postern.Platform.Http;

namespace Postern.Gateway;

/// <summary>
/// The door to a server: who is it, what do they want, may they, then carry it there and back. Both eras come to the
/// same address and are told apart by what they say.
/// </summary>
internal sealed class McpEndpoint(Gatekeeper keeper, SessionGreeter greeter, SessionDesk desk, Errand errand)
{
    public const string Path = "/mcp/{server}";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods(Path, [HttpMethods.Options], http => Of(http).PostAsync(http)).Open().AtBoth();
        routes.MapMethods(Path, [HttpMethods.Post], http => Of(http).PostAsync(http)).For(Door.Token).AtBoth();
        routes.MapMethods(Path, [HttpMethods.Get], http => Of(http).GetAsync(http)).For(Door.Token).AtBoth();
        routes.MapMethods(Path, [HttpMethods.Delete], http => Of(http).DeleteAsync(http)).For(Door.Token).AtBoth();
    }

    private static McpEndpoint Of(HttpContext http) => http.RequestServices.GetRequiredService<McpEndpoint>();

    private async Task PostAsync(HttpContext http)
    {
        using var span = Telemetry.Begin(http.Request);
        if (await keeper.AdmitAsync(http) is not { } admission)
        {
            return;
        }

        using var body = new PooledBytes((int)Math.Clamp(http.Request.ContentLength ?? 0, 512, 64 * 1024) + 1);
        if (await RequestBody.ReadAsync(http.Request, body, http.RequestAborted) is { } refused)
        {
            await new AnswerWriter(http.Response, Era.Modern).WriteAsync(refused, default, http.RequestAborted);
            return;
        }

        await (Batch.Is(body.Written.Span)
            ? BatchAsync(http, admission, body.Written)
            : MessageAsync(http, admission, body.Written));
    }

    private async Task GetAsync(HttpContext http)
    {
        if (await keeper.AdmitAsync(http) is { } admission
            && await desk.FindAsync(new(http, admission, new(http.Response, Era.Legacy)), isNeeded: true) is { } visit)
        {
            await desk.ListenAsync(visit);
        }
    }

    private async Task DeleteAsync(HttpContext http)
    {
        if (await keeper.AdmitAsync(http) is { } admission
            && await desk.FindAsync(new(http, admission, new(http.Response, Era.Legacy)), isNeeded: true) is { } visit)
        {
            await desk.EndAsync(visit);
        }
    }

    private async Task MessageAsync(HttpContext http, Admission admission, ReadOnlyMemory<byte> body)
    {
        var era = Era.Modern;
        if (!Message.TryRead(body, out var message, out var error)
            || (error = Agreement.Check(message, http.Request.Headers, out era)) is not null)
        {
            await new AnswerWriter(http.Response, Era.Modern).WriteAsync(error, message.RawId, http.RequestAborted);
            return;
        }

        var visit = new Visit(http, admission, new(http.Response, era));
        if (era is Era.Legacy)
        {
            await LegacyAsync(visit, message);
        }
        else if (message.IsRequest)
        {
            await errand.RunAsync(visit, message);
        }
        else
        {
            // Nothing is kept between modern requests, so there is nothing a notification could change.
            http.Response.StatusCode = StatusCodes.Status202Accepted;
        }
    }

    private async Task LegacyAsync(Visit visit, Message message)
    {
        if (message.Method is Methods.Initialize)
        {
            await errand.TryAsync(visit, message, stay => greeter.OpenAsync(visit, message, stay.Token));
        }
        else if (await desk.FindAsync(visit, isNeeded: false) is { } known && !await desk.SettlesAsync(known, message))
        {
            await errand.RunAsync(known, message);
        }
    }

    // Each message is judged by itself; the answers go one by one into a stream.
    private async Task BatchAsync(HttpContext http, Admission admission, ReadOnlyMemory<byte> body)
    {
        var visit = new Visit(http, admission, new(http.Response, Era.Legacy));
        if (http.Request.Headers[Agreement.VersionHeader] is not ([] or [Revisions.Batching])
            || !Batch.TrySplit(body, out var messages))
        {
            await visit.Writer.WriteAsync(
                RpcError.InvalidRequest(
                    $"A batch, of 1 to {Batch.Most} messages, belongs to the revision {Revisions.Batching} alone."),
                default,
                visit.Gone);
            return;
        }

        foreach (var bytes in messages)
        {
            await MemberAsync(visit, bytes);
        }
    }

    private async Task MemberAsync(Visit visit, ReadOnlyMemory<byte> bytes)
    {
        var isRead = Message.TryRead(bytes, out var message, out var error);
        if (isRead && (message.Method is Methods.Initialize || Agreement.IsModern(message)))
        {
            error = RpcError.InvalidRequest("This message does not belong into a batch.");
        }

        if (error is not null || message.IsRequest)
        {
            // From here on the answer is a stream, and no refusal can set a status.
            await visit.Writer.BeatAsync(visit.Gone);
        }

        await (error is null ? LegacyAsync(visit, message) : visit.AnswerAsync(error, message).AsTask());
    }
}
