using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Postern.Gateway.Inspect;
using Postern.Platform.Keys;

namespace Postern.Gateway.Relay;

/// <summary>
/// What a server wants to be told again when its question is answered (<c>requestState</c>). The client holds it, so it
/// leaves sealed for the one grant, server, operation and arguments it was made for, and for a while (T112).
/// </summary>
internal sealed class RequestStates(Sealer sealer, TimeProvider clock)
{
    private const string Purpose = "mcp-request-state";

    // The sealed text must stay one that the sealer opens.
    private const int MostBytes = 16 * 1024;

    private static readonly TimeSpan GoodFor = TimeSpan.FromHours(1);

    public static readonly RpcError NotOfThisCall = RpcError.BadArgument(
        "params.requestState was not made for this call by this connection, or is too old. Call again without it.");

    /// <summary>The text, as JSON, that a client is given in place of a state.</summary>
    public byte[] Seal(Call call, ReadOnlySpan<byte> state)
    {
        if (state.Length > MostBytes)
        {
            throw new UpstreamException($"The server's requestState is longer than {MostBytes / 1024} KB.");
        }

        var plain = new byte[sizeof(long) + state.Length];
        BinaryPrimitives.WriteInt64BigEndian(plain, (clock.GetUtcNow() + GoodFor).ToUnixTimeSeconds());
        state.CopyTo(plain.AsSpan(sizeof(long)));
        return
        [
            (byte)'"',
            .. Encoding.ASCII.GetBytes(sealer.Seal(call.Caller.Tenant, Purpose, plain, Context(call))),
            (byte)'"',
        ];
    }

    /// <summary>The state that a request brings; empty when it brings none. False when it is not this call's.</summary>
    public bool TryOpen(Call call, out ReadOnlyMemory<byte> state)
    {
        state = default;
        var part = call.Request.At("params"u8, "requestState"u8);
        if (call.Era is Era.Legacy)
        {
            // It is asked itself; what it sent under these names would stand beside what the gateway adds.
            return part.IsMissing && call.Request.At("params"u8, "inputResponses"u8).IsMissing;
        }

        if (part.IsMissing)
        {
            return true;
        }

        if (part.Type is not JsonTokenType.String || call.Request.Text(part) is not { } text
            || sealer.Open(call.Caller.Tenant, Purpose, text, Context(call)) is not { } plain
            || BinaryPrimitives.ReadInt64BigEndian(plain) < clock.GetUtcNow().ToUnixTimeSeconds())
        {
            return false;
        }

        state = plain.AsMemory(sizeof(long));
        return true;
    }

    private static byte[] Context(Call call)
    {
        var (tenant, subject, client, grant) = call.Caller;
        var name = call.Request.Text(Agreement.NamePart(call.Request));
        var arguments = call.Request.At("params"u8, "arguments"u8);
        var digest = arguments.IsMissing
            ? ""
            : JsonDigest.Of(call.Request.Bytes.Slice(arguments.Start, arguments.Length));
        var (server, method) = (call.Server, call.Request.Method);
        return Encoding.UTF8.GetBytes(string.Join(
            '\n', tenant, subject, client, grant, server.Name, server.Url, method, name, digest));
    }
}
