using System.Text;
using System.Text.Json;
using Postern.Gateway.Inspect;

namespace Postern.Gateway.Relay;

/// <summary>
/// Carries what a legacy server asks in the middle of a call to a modern client, which is asked by a result and answers
/// by calling again (SEP-2322). In between the call at the server is parked.
/// </summary>
internal sealed class Questions(ParkedCalls parked, RequestStates states)
{
    private static readonly string[] Asking = ["elicitation/create", "sampling/createMessage", "roots/list"];

    // One question at a time, so one name for it does.
    private const string Key = "question";

    private static readonly RpcError TooLate = RpcError.BadArgument(
        "What was asked no longer waits for an answer here: it was too long ago, or another node asked. "
        + "Call again without params.requestState and params.inputResponses.");

    private static readonly RpcError Other = RpcError.BadArgument(
        "This is another call than the one that was asked about. Send the same arguments with its requestState.");

    private static readonly RpcError Malformed =
        RpcError.BadArgument("Each of params.inputResponses must be an object.");

    /// <summary>
    /// What of a modern client's capabilities a legacy server is told, as JSON: kinds of questions, each in the form
    /// that all revisions know.
    /// </summary>
    public static string Askable(Message request)
    {
        var part = request.Meta("io.modelcontextprotocol/clientCapabilities"u8);
        if (!Methods.MayAskBack(request.Method) || part.Length <= 2)
        {
            return "{}";
        }

        using var declared = JsonDocument.Parse(request.Bytes.Slice(part.Start, part.Length));
        var kinds = declared.RootElement.EnumerateObject().Where(IsKnown).Select(kind => $"\"{kind.Name}\":{{}}");
        return $"{{{string.Join(',', kinds.Order(StringComparer.Ordinal))}}}";
    }

    /// <summary>Whether a server's question is of a kind that was declared on its line.</summary>
    public static bool IsDeclared(Line line, string method)
    {
        using var declared = JsonDocument.Parse(line.Capabilities);
        return Asking.Contains(method) && declared.RootElement.TryGetProperty(KindOf(method), out _);
    }

    /// <summary>The method by which a server asks; null for anything that is none.</summary>
    public static string? MethodOf(JsonElement name) =>
        name.ValueKind is JsonValueKind.String ? Array.Find(Asking, name.ValueEquals) : null;

    /// <summary>The end of a call over a question that was not declared: the client learns what it lacks.</summary>
    public static UpstreamException NotDeclared(string method) => new(RpcError.MissingCapability(
        $"The server wants to ask the client ('{method}'), which the client has not said it can do.",
        KindOf(method)));

    /// <summary>What a server is told that asks what cannot be asked here; that somebody is here can be said.</summary>
    public static Outgoing Refusal(Message question) => Outgoing.Response(question.Method is Methods.Ping
        ? [.. "{\"jsonrpc\":\"2.0\",\"id\":"u8, .. question.RawId, .. ",\"result\":{}}"u8]
        : RpcError.UnknownMethod(question.Method).ToJson(question.RawId));

    /// <summary>Refuses a server's question, which ends the call unless it only asked for a sign of life.</summary>
    public static async Task RefuseAsync(IUpstream upstream, Line line, Message question, CancellationToken stop)
    {
        using var refusal = Refusal(question);
        await upstream.TellAsync(line, refusal, stop);
        if (question.Method is not Methods.Ping)
        {
            throw NotDeclared(question.Method);
        }
    }

    /// <summary>Keeps a call for when its client comes again, and answers the result that asks it.</summary>
    public byte[] Park(OpenCall open, Call call)
    {
        var question = open.Question!;
        var result = new StringBuilder("{\"resultType\":\"input_required\",\"inputRequests\":{\"")
            .Append(Key)
            .Append("\":{\"method\":")
            .Append(JsonSerializer.Serialize(question.Method, RpcJson.Default.String))
            .Append(",\"params\":")
            .Append(question.Params.IsMissing ? "{}" : Encoding.UTF8.GetString(question.Raw(question.Params)));
        if (parked.TryPark(open, out var isOver) is not { } name)
        {
            throw isOver
                ? new UpstreamException(RpcError.Upstream("The grant ended while this was under way.", 403))
                : new UpstreamException(RpcError.Upstream(
                $"Too many calls wait for answers: at most {ParkedCalls.MostPerGrant} of one grant.", 429));
        }

        var state = Encoding.ASCII.GetString(states.Seal(call, Encoding.ASCII.GetBytes($"\"{name}\"")));
        return Encoding.UTF8.GetBytes(result.Append("}},\"requestState\":").Append(state).Append('}').ToString());
    }

    /// <summary>
    /// Takes up a call again and tells the server the client's answer; the error when that cannot be. Where the answer
    /// is missing, the question is still open.
    /// </summary>
    public async Task<(OpenCall? Call, RpcError? Error)> AnswerAsync(
        Call call, ReadOnlyMemory<byte> state, CancellationToken stop)
    {
        var name = Encoding.UTF8.GetString(state.Span).Trim('"');
        if (parked.Find(name) is not { } waiting)
        {
            return (null, TooLate);
        }

        if (!waiting.IsSameAs(call.Request))
        {
            return (null, Other);
        }

        if (!TryFindAnswer(call.Request, out var answer))
        {
            return (null, Malformed);
        }

        if (parked.Take(name) is not { } open)
        {
            return (null, TooLate);
        }

        if (answer is not null)
        {
            await TellAsync(open, answer, stop);
        }

        return (open, null);
    }

    private static async Task TellAsync(OpenCall open, string answer, CancellationToken stop)
    {
        var id = Encoding.UTF8.GetString(open.Question!.RawId);
        using var response = Outgoing.Response(
            Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{answer}}}"));
        try
        {
            await open.Upstream.TellAsync(open.Line, response, stop);
            open.Answered();
        }
        catch
        {
            await open.DisposeAsync();
            throw;
        }
    }

    // An answer that is not there is asked for again; one that is no answer is an error.
    private static bool TryFindAnswer(Message request, out string? answer)
    {
        answer = null;
        var part = request.At("params"u8, "inputResponses"u8);
        if (part.IsMissing)
        {
            return true;
        }

        using var responses = JsonDocument.Parse(request.Bytes.Slice(part.Start, part.Length));
        if (part.Type is not JsonTokenType.StartObject)
        {
            return false;
        }

        if (!responses.RootElement.TryGetProperty(Key, out var found))
        {
            return true;
        }

        answer = found.GetRawText();
        return found.ValueKind is JsonValueKind.Object;
    }

    private static string KindOf(string method) => method.Split('/')[0];

    // A client that can only be sent to an address cannot fill in a form.
    private static bool IsKnown(JsonProperty kind) => kind.Value.ValueKind is JsonValueKind.Object && kind.Name switch
    {
        "sampling" or "roots" => true,
        "elicitation" => !kind.Value.EnumerateObject().Any() || kind.Value.TryGetProperty("form", out _),
        _ => false,
    };
}
