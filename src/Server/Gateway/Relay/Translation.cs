using System.Text;
using System.Text.Json;
using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// What must read differently on the other side: identifiers, which are the gateway's own towards a server, and what
/// the two eras say in different ways. It does no I/O.
/// </summary>
internal static class Translation
{
    /// <summary>Lists depend on the grant, which may change: a client may keep them for so long.</summary>
    public const int TtlMs = 10_000;

    private const int LegacyResourceNotFound = -32002;

    /// <summary>A client's request on its way to the server, with the answers to what that asked back before.</summary>
    public static Edits Request(
        Message request, Era client, Line line, ReadOnlyMemory<byte> id, Answers? answers,
        ReadOnlyMemory<byte> state = default)
    {
        var edits = new Edits();
        edits.Replace(request.Id, id);
        if (!state.IsEmpty)
        {
            edits.Replace(request.At("params"u8, "requestState"u8), state);
        }

        var progress = request.Meta("progressToken"u8);
        if (!progress.IsMissing)
        {
            // Two clients may have chosen the same one.
            edits.Replace(progress, id);
        }

        if (client is Era.Legacy && line.Era is Era.Modern)
        {
            Modernize(request, line, answers, edits);
        }

        return edits;
    }

    /// <summary>Whether a client of this era is to see what the server sent beside the response.</summary>
    public static bool Passes(Message message, Message request, Era client, Era server) => client is Era.Legacy
        ? message.Method is not Methods.Acknowledged
        : message.Method switch
        {
            Methods.Progress => !request.Meta("progressToken"u8).IsMissing,
            // Without a level the client has not asked for any.
            Methods.LogMessage => !request.Meta("io.modelcontextprotocol/logLevel"u8).IsMissing,
            _ => server is Era.Modern && message.Kind is MessageKind.Notification,
        };

    /// <summary>A server's message on its way to the client that made the request.</summary>
    public static Edits Answer(Message answer, Message request, Era client)
    {
        var edits = new Edits();
        HiddenText.Strip(answer.Bytes.Span, edits);
        if (answer.IsResponse)
        {
            edits.Replace(answer.Id, request.Bytes.Slice(request.Id.Start, request.Id.Length));
        }
        else if (answer.Method is Methods.Progress)
        {
            Restore(answer, answer.At("params"u8, "progressToken"u8), request, request.Meta("progressToken"u8), edits);
        }

        if (request.Method is Methods.Listen)
        {
            Restore(answer, answer.Meta("io.modelcontextprotocol/subscriptionId"u8), request, request.Id, edits);
            var subscription = answer.At("result"u8, "_meta"u8, "io.modelcontextprotocol/subscriptionId"u8);
            Restore(answer, subscription, request, request.Id, edits);
        }

        if (client is Era.Modern && answer.IsResponse)
        {
            Modernize(answer, request.Method, edits);
        }

        return edits;
    }

    /// <summary>Whether a result is a question to the client.</summary>
    public static bool AsksBack(Message answer) =>
        answer.Raw(answer.At("result"u8, "resultType"u8)).SequenceEqual("\"input_required\""u8);

    private static void Restore(Message answer, Part part, Message request, Part original, Edits edits)
    {
        if (!part.IsMissing && !original.IsMissing)
        {
            edits.Replace(part, request.Bytes.Slice(original.Start, original.Length));
        }
    }

    private static void Modernize(Message answer, string method, Edits edits)
    {
        if (answer.IsError)
        {
            if (answer.ErrorCode is LegacyResourceNotFound)
            {
                edits.Replace(answer.At("error"u8, "code"u8), "-32602"u8.ToArray());
            }

            return;
        }

        var members = answer.At("result"u8, "resultType"u8).IsMissing ? ",\"resultType\":\"complete\"" : "";
        if (Methods.IsCacheable(method) && !AsksBack(answer))
        {
            // What depends on the grant must not reach another by a shared cache.
            members += Force(answer, "ttlMs"u8, Ttl(answer), edits)
                + Force(answer, "cacheScope"u8, "\"private\"", edits);
        }

        if (members is not "")
        {
            edits.Append(answer.Bytes.Span, answer.Result, Encoding.UTF8.GetBytes(members[1..]));
        }
    }

    // Replaces a member, or gives the text that adds it.
    private static string Force(Message answer, ReadOnlySpan<byte> name, string value, Edits edits)
    {
        var part = answer.At("result"u8, name);
        if (part.IsMissing)
        {
            return $",\"{Encoding.UTF8.GetString(name)}\":{value}";
        }

        edits.Replace(part, Encoding.UTF8.GetBytes(value));
        return "";
    }

    private static string Ttl(Message answer) =>
        answer.TryNumber(answer.At("result"u8, "ttlMs"u8), out var given) && given is >= 0 and < TtlMs
            ? $"{given}"
            : $"{TtlMs}";

    private static void Modernize(Message request, Line line, Answers? answers, Edits edits)
    {
        var source = request.Bytes.Span;
        var meta = request.At("params"u8, "_meta"u8);
        var members = Members(request, line, edits);
        if (meta.Type is JsonTokenType.StartObject)
        {
            edits.Append(source, meta, Encoding.UTF8.GetBytes(members[1..]));
        }
        else if (!meta.IsMissing)
        {
            edits.Replace(meta, Encoding.UTF8.GetBytes($"{{{members[1..]}}}"));
        }

        var added = (meta.IsMissing ? $",\"_meta\":{{{members[1..]}}}" : "") + answers;
        if (added is "")
        {
            return;
        }

        if (request.Params.IsMissing)
        {
            var start = source.IndexOf((byte)'{');
            var whole = new Part(start, source.LastIndexOf((byte)'}') + 1 - start, default);
            edits.Append(source, whole, Encoding.UTF8.GetBytes($"\"params\":{{{added[1..]}}}"));
            return;
        }

        edits.Append(source, request.Params, Encoding.UTF8.GetBytes(added[1..]));
    }

    // What a client says of itself was said at its handshake: a member that says otherwise is replaced, never doubled.
    // At least the version is not there, or the message would be modern.
    private static string Members(Message request, Line line, Edits edits)
    {
        var members = "";
        foreach (var (name, value) in Handshake.MetaMembers(line))
        {
            var part = request.Meta(Encoding.UTF8.GetBytes(name));
            if (part.IsMissing)
            {
                members += $",\"{name}\":{value}";
            }
            else
            {
                edits.Replace(part, Encoding.UTF8.GetBytes(value));
            }
        }

        return members;
    }
}
