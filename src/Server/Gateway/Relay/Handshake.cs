using System.Text;
using System.Text.Json;
using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>The opening words of both eras, and what is read off the answers.</summary>
internal static class Handshake
{
    /// <summary>In whose name the gateway asks what a server speaks and which tools it has.</summary>
    public static readonly Principal Nobody = new(new(""), new(""), new(""), new(""));

    private const string Gateway = """{"name":"postern","version":"0.1.0"}""";

    public static Outgoing Discover(Line line) => Outgoing.Request(Methods.Discover, $"{{\"_meta\":{Meta(line)}}}");

    public static Outgoing Initialize(Line line) => Outgoing.Request(
        Methods.Initialize,
        $"{{\"protocolVersion\":\"{line.Version}\",\"capabilities\":{line.Capabilities},"
        + $"\"clientInfo\":{line.ClientInfo ?? Gateway}}}");

    /// <summary>Tells a server that nobody waits for an answer any more.</summary>
    public static Outgoing Cancel(string id) => Outgoing.Notification(Methods.Cancelled, $"{{\"requestId\":{id}}}");

    /// <summary>What every modern request says about its sender.</summary>
    public static string Meta(Line line) =>
        $"{{{string.Join(',', MetaMembers(line).Select(member => $"\"{member.Name}\":{member.Value}"))}}}";

    /// <inheritdoc cref="Meta"/>
    public static IEnumerable<(string Name, string Value)> MetaMembers(Line line)
    {
        yield return ("io.modelcontextprotocol/protocolVersion", $"\"{Revisions.Modern}\"");
        yield return ("io.modelcontextprotocol/clientCapabilities", line.Capabilities);
        yield return ("io.modelcontextprotocol/clientInfo", line.ClientInfo ?? Gateway);
        if (line.LogLevel is { } level)
        {
            yield return ("io.modelcontextprotocol/logLevel", $"\"{level}\"");
        }
    }

    /// <summary>The line as the server's InitializeResult leaves it.</summary>
    public static Line Complete(Line line, Message answer)
    {
        var version = answer.Text(answer.At("result"u8, "protocolVersion"u8));
        if (answer.IsError || version is null || !Revisions.IsLegacy(version))
        {
            throw new UpstreamException(answer.IsError
                ? $"The server refuses to be initialized: {answer.ErrorText}"
                : $"The server speaks the revision '{version}', which is not served here.");
        }

        return line with { Version = version, Greeting = answer.Raw(answer.Result).ToArray() };
    }

    /// <summary>The era of a server that answered <c>server/discover</c>.</summary>
    public static Era EraOf(Message answer)
    {
        var versions = answer.IsError ? SupportedIn(answer) : answer.At("result"u8, "supportedVersions"u8);
        if (!versions.IsMissing)
        {
            return answer.Raw(versions).IndexOf("\"2026-07-28\""u8) < 0 ? Era.Legacy : Era.Modern;
        }

        // A refusal in modern words comes from a modern server; any other from one that knows no discovery.
        return !answer.IsError || IsModernCode(answer.ErrorCode) ? Era.Modern : Era.Legacy;
    }

    /// <summary>The InitializeResult a legacy client is given for a modern server.</summary>
    public static byte[] Greeting(Message discovered, string version)
    {
        var server = discovered.At("result"u8, "_meta"u8, "io.modelcontextprotocol/serverInfo"u8);
        var instructions = discovered.At("result"u8, "instructions"u8);
        return Encoding.UTF8.GetBytes(
            $"{{\"protocolVersion\":\"{version}\","
            + $"\"capabilities\":{Raw(discovered, discovered.At("result"u8, "capabilities"u8), "{}")},"
            + $"\"serverInfo\":{Raw(discovered, server, Gateway)}"
            + (instructions.IsMissing ? "}" : $",\"instructions\":{Raw(discovered, instructions, "")}}}"));
    }

    /// <summary>The DiscoverResult a modern client is given for a legacy server.</summary>
    public static byte[] Discovery(ReadOnlyMemory<byte> greeting)
    {
        using var document = JsonDocument.Parse(greeting, new() { MaxDepth = Message.MaxAnswerDepth });
        var root = document.RootElement;
        var instructions = root.TryGetProperty("instructions", out var text)
            ? $",\"instructions\":{text.GetRawText()}"
            : "";
        return Encoding.UTF8.GetBytes(
            $"{{\"supportedVersions\":[\"{Revisions.Modern}\"],"
            + $"\"capabilities\":{Raw(root, "capabilities", "{}")}{instructions},"
            + $"\"resultType\":\"complete\",\"ttlMs\":{Translation.TtlMs},\"cacheScope\":\"private\","
            + $"\"_meta\":{{\"io.modelcontextprotocol/serverInfo\":{Raw(root, "serverInfo", Gateway)}}}}}");
    }

    private static Part SupportedIn(Message answer)
    {
        var data = answer.At("error"u8, "data"u8);
        return answer.ErrorCode is RpcError.UnsupportedVersionCode ? data : default;
    }

    private static bool IsModernCode(int code) =>
        code is RpcError.HeaderMismatchCode or RpcError.MissingCapabilityCode or RpcError.UnsupportedVersionCode;

    private static string Raw(Message message, Part part, string otherwise) =>
        part.IsMissing ? otherwise : Encoding.UTF8.GetString(message.Raw(part));

    private static string Raw(JsonElement root, string name, string otherwise) =>
        root.TryGetProperty(name, out var value) ? value.GetRawText() : otherwise;
}
