using System.Text;
using System.Text.Json;
using Postern.Gateway.Inspect;
using Postern.Gateway.Relay;
using Postern.Gateway.Sessions;

namespace Postern.Gateway;

/// <summary>Begins the session of a legacy client with the handshake that it expects.</summary>
internal sealed class SessionGreeter(SessionBook sessions, Upstreams upstreams)
{
    private const int MaxCapabilities = 16 * 1024, MaxClientInfo = 8 * 1024;

    /// <summary>The handshake, with the server in the client's name or, for a modern server, in its place.</summary>
    public async Task<bool> OpenAsync(Visit visit, Message hello, CancellationToken stop)
    {
        var asked = hello.Text(hello.At("params"u8, "protocolVersion"u8));
        var version = asked is not null && Revisions.IsLegacy(asked) ? asked : Revisions.NewestLegacy;
        var line = new Line(visit.Admission.Caller)
        {
            Version = version,
            Capabilities = ObjectOf(hello, hello.At("params"u8, "capabilities"u8), MaxCapabilities) ?? "{}",
            ClientInfo = ClientInfoOf(hello),
        };
        var upstream = upstreams.To(visit.Admission.Server);
        byte[] greeting;
        // A server of both eras is spoken to in the client's own, where nothing is lost in translation.
        if (await upstream.OpenAsync(line, stop) is { } opened)
        {
            line = opened;
            (version, greeting) = (line.Version, line.Greeting.ToArray());
        }
        else
        {
            line = line with { Version = Revisions.Modern };
            greeting = await DiscoverAsync(upstream, line, version, stop);
        }

        var handle = await sessions.OpenAsync(visit.Admission.Server.Name, version, line);
        visit.Http.Response.Headers[HttpRequests.SessionHeader] = handle;
        await visit.AnswerAsync(greeting, hello);
        return true;
    }

    private static async Task<byte[]> DiscoverAsync(
        IUpstream upstream, Line line, string version, CancellationToken stop)
    {
        using var question = Handshake.Discover(line);
        await foreach (var answer in upstream.AskAsync(line, question, stop))
        {
            if (answer.IsResponse)
            {
                return Handshake.Greeting(answer, version);
            }
        }

        throw new UpstreamException("The server ended before it had answered.");
    }

    // A modern server refuses every call of a client that it is told the half of.
    private static string? ClientInfoOf(Message hello) =>
        hello.Text(hello.At("params"u8, "clientInfo"u8, "name"u8)) is not null
        && hello.Text(hello.At("params"u8, "clientInfo"u8, "version"u8)) is not null
            ? ObjectOf(hello, hello.At("params"u8, "clientInfo"u8), MaxClientInfo)
            : null;

    private static string? ObjectOf(Message message, Part part, int most) =>
        part.Type is JsonTokenType.StartObject && part.Length <= most
            ? Encoding.UTF8.GetString(message.Raw(part))
            : null;
}
