using System.Text;
using System.Text.Json;

namespace Postern.Gateway.Inspect;

/// <summary>
/// A JSON-RPC error and the HTTP status it travels with. Authorization failures are never among them: a 400 without
/// one of the modern codes makes a client fall back to the older protocol.
/// </summary>
internal sealed record RpcError(int Code, string Message, int Status = 200)
{
    public const int UnknownMethodCode = -32601;
    public const int HeaderMismatchCode = -32020;
    public const int MissingCapabilityCode = -32021;
    public const int UnsupportedVersionCode = -32022;

    /// <summary>The <c>data</c> member, as JSON.</summary>
    public string? Data { get; init; }

    public static RpcError Parse(string because) => new(-32700, because, 400);

    public static RpcError InvalidRequest(string because) => new(-32600, because, 400);

    /// <summary>
    /// The request as such is incomplete; a bad argument of an operation is <see cref="BadArgument"/>.
    /// </summary>
    public static RpcError Incomplete(string because) => new(-32602, because, 400);

    public static RpcError BadArgument(string because) => new(-32602, because);

    public static RpcError UnknownMethod(string method) =>
        new(UnknownMethodCode, $"The method '{method}' is not served here.", 404);

    public static RpcError HeaderMismatch(string because) => new(HeaderMismatchCode, because, 400);

    public static RpcError MissingCapability(string because, string capability) => new(
        MissingCapabilityCode, because, 400)
    {
        Data = $"{{\"requiredCapabilities\":{{{Quoted(capability)}:{{}}}}}}",
    };

    public static RpcError UnsupportedVersion(string requested) => new(
        UnsupportedVersionCode,
        $"This revision of the protocol is not served. Served without a handshake: {Revisions.Modern}.",
        400)
    {
        Data = $"{{\"supported\":[\"{Revisions.Modern}\"],\"requested\":{Quoted(requested)}}}",
    };

    /// <summary>The server behind the gateway failed; the text says how, so that a person can mend it.</summary>
    public static RpcError Upstream(string because, int status = 502) => new(-32603, because, status);

    /// <summary>
    /// The status a modern client expects with an error code; an upstream's own status is not believed.
    /// </summary>
    public static int StatusOf(int code) => code switch
    {
        UnknownMethodCode => 404,
        -32700 or -32600 or HeaderMismatchCode or MissingCapabilityCode or UnsupportedVersionCode => 400,
        _ => 200,
    };

    /// <summary>The message on the wire; an identifier that could not be read is null.</summary>
    public byte[] ToJson(ReadOnlySpan<byte> id)
    {
        var shownId = id.IsEmpty ? "null" : Encoding.UTF8.GetString(id);
        var data = Data is null ? "" : $",\"data\":{Data}";
        var error = $"{{\"code\":{Code},\"message\":{Quoted(Message)}{data}}}";
        return Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"id\":{shownId},\"error\":{error}}}");
    }

    private static string Quoted(string text) => JsonSerializer.Serialize(text, RpcJson.Default.String);
}
