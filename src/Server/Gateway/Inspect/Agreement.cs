using System.Text.Json;

namespace Postern.Gateway.Inspect;

/// <summary>
/// Tells the two eras apart by what a message says, and holds a modern message's headers against its body. The body is
/// the truth: intermediaries on the way have judged by the headers, so a difference is an attack or a bug.
/// On legacy messages the mirrored headers mean nothing and are not looked at.
/// </summary>
internal static class Agreement
{
    public const string VersionHeader = "MCP-Protocol-Version";
    public const string MethodHeader = "Mcp-Method";
    public const string NameHeader = "Mcp-Name";

    private static readonly Func<Message, IHeaderDictionary, RpcError?>[] Checks =
    [
        VersionIsNamedOnce,
        VersionsAgree,
        VersionIsServed,
        CapabilitiesAreDeclared,
        MethodsAgree,
        NamesAgree,
        MethodExists,
    ];

    /// <summary>The era of a message, or the error it deserves.</summary>
    public static RpcError? Check(Message message, IHeaderDictionary headers, out Era era)
    {
        era = EraOf(message, headers);
        if (era is Era.Legacy)
        {
            return LegacyVersionIsServed(headers, message);
        }

        if (message.IsResponse)
        {
            return RpcError.InvalidRequest("A client of this revision sends requests and notifications only.");
        }

        foreach (var check in Checks)
        {
            if (check(message, headers) is { } error)
            {
                return error;
            }
        }

        return null;
    }

    /// <summary>Whether the body itself says that it is of the modern era.</summary>
    public static bool IsModern(Message message) => !BodyVersion(message).IsMissing;

    /// <summary>
    /// What the method's object is called: the tool, prompt, resource or task; null when it has none.
    /// </summary>
    public static Part NamePart(Message message) => message.Method switch
    {
        Methods.ToolsCall or Methods.PromptsGet => message.At("params"u8, "name"u8),
        Methods.ResourcesRead => message.At("params"u8, "uri"u8),
        Methods.TasksGet or Methods.TasksUpdate or Methods.TasksCancel => message.At("params"u8, "taskId"u8),
        _ => default,
    };

    private static Part BodyVersion(Message message) => message.Meta("io.modelcontextprotocol/protocolVersion"u8);

    private static Era EraOf(Message message, IHeaderDictionary headers)
    {
        if (!BodyVersion(message).IsMissing)
        {
            return Era.Modern;
        }

        return headers[VersionHeader] switch
        {
            [] => Era.Legacy,
            [not Revisions.Modern, ..] when message.Method is Methods.Initialize => Era.Legacy,
            [{ } version] when string.CompareOrdinal(version.Trim(), Revisions.Modern) < 0 => Era.Legacy,
            // An unknown revision is more likely to come after the ones we know than before them.
            _ => Era.Modern,
        };
    }

    private static RpcError? LegacyVersionIsServed(IHeaderDictionary headers, Message message) =>
        headers[VersionHeader] is [{ } version] && !Revisions.IsLegacy(version.Trim())
        && message.Method is not Methods.Initialize
            ? RpcError.UnsupportedVersion(version.Trim())
            : null;

    private static RpcError? VersionIsNamedOnce(Message message, IHeaderDictionary headers) =>
        headers[VersionHeader].Count is 1
            ? null
            : RpcError.HeaderMismatch($"{VersionHeader} must be sent, once.");

    private static RpcError? VersionsAgree(Message message, IHeaderDictionary headers)
    {
        var version = BodyVersion(message);
        if (version.IsMissing)
        {
            // A revision of the future may say it elsewhere; what it gets is the list of those that are served.
            return message.IsRequest && headers[VersionHeader][0]!.Trim() is Revisions.Modern
                ? RpcError.Incomplete("params._meta[\"io.modelcontextprotocol/protocolVersion\"] is missing.")
                : null;
        }

        if (version.Type is not JsonTokenType.String)
        {
            return RpcError.Incomplete("params._meta[\"io.modelcontextprotocol/protocolVersion\"] must be a string.");
        }

        return message.Text(version) == headers[VersionHeader][0]!.Trim()
            ? null
            : RpcError.HeaderMismatch($"{VersionHeader} and the protocol version in _meta do not agree.");
    }

    private static RpcError? VersionIsServed(Message message, IHeaderDictionary headers) =>
        headers[VersionHeader][0]!.Trim() is Revisions.Modern
            ? null
            : RpcError.UnsupportedVersion(headers[VersionHeader][0]!.Trim());

    private static RpcError? CapabilitiesAreDeclared(Message message, IHeaderDictionary headers) =>
        !message.IsRequest
        || message.Meta("io.modelcontextprotocol/clientCapabilities"u8).Type is JsonTokenType.StartObject
            ? null
            : RpcError.Incomplete("params._meta[\"io.modelcontextprotocol/clientCapabilities\"] must be an object.");

    private static RpcError? MethodsAgree(Message message, IHeaderDictionary headers) => headers[MethodHeader] switch
    {
        [] when !message.IsRequest => null,
        [{ } one] when HeaderValue.TryDecode(one, out var name) && name == message.Method => null,
        _ => RpcError.HeaderMismatch($"{MethodHeader} and the method of the body do not agree."),
    };

    private static RpcError? NamesAgree(Message message, IHeaderDictionary headers)
    {
        var part = NamePart(message);
        var named = message.Text(part);
        if (named is null)
        {
            return NeedsName(message.Method)
                ? RpcError.Incomplete("params lacks the name of what is asked for, or it is no text.")
                : null;
        }

        return headers[NameHeader] is [{ } one] && HeaderValue.TryDecode(one, out var name) && name == named
            ? null
            : RpcError.HeaderMismatch($"{NameHeader} and the name in the body do not agree.");
    }

    private static bool NeedsName(string method) => method is Methods.ToolsCall or Methods.PromptsGet
        or Methods.ResourcesRead or Methods.TasksGet or Methods.TasksUpdate or Methods.TasksCancel;

    private static RpcError? MethodExists(Message message, IHeaderDictionary headers) =>
        message.IsRequest && !Methods.IsServed(message.Method, Era.Modern)
            ? RpcError.UnknownMethod(message.Method)
            : null;
}
