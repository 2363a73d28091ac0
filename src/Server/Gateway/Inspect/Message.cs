using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Postern.Gateway.Inspect;

internal enum MessageKind
{
    Request,
    Notification,
    Response,
}

/// <summary>
/// One JSON-RPC message: the bytes as they came, and where the parts stand that decide anything. Its envelope (the
/// members of the message, of params, result and error, and of their _meta) is indexed; all else is only skipped,
/// after the same strict reading.
/// </summary>
internal sealed class Message
{
    /// <summary>The deepest nesting a client may send; lists of tools may go deeper.</summary>
    public const int MaxDepth = 64, MaxAnswerDepth = 256;

    private readonly List<Member> members;
    private string? method;

    private Message(ReadOnlyMemory<byte> bytes, List<Member> members)
    {
        (Bytes, this.members) = (bytes, members);
        (Id, Params, Result) = (At("id"u8), At("params"u8), At("result"u8));
    }

    public ReadOnlyMemory<byte> Bytes { get; }

    public MessageKind Kind { get; private set; }

    public Part Id { get; }

    public Part Params { get; }

    public Part Result { get; }

    /// <summary>Empty for a response.</summary>
    public string Method => method ??= MethodName();

    public bool IsRequest => Kind is MessageKind.Request;

    /// <summary>The answer to a request, be it result or error.</summary>
    public bool IsResponse => Kind is MessageKind.Response;

    public bool IsError => IsResponse && Result.IsMissing;

    public int ErrorCode => TryNumber(At("error"u8, "code"u8), out var code) ? code : 0;

    /// <summary>The start of what an error says, fit for a log: one line, and not long.</summary>
    public string ErrorText
    {
        get
        {
            var text = Text(At("error"u8, "message"u8)) ?? "";
            return string.Concat(text.Take(200).Select(c => char.IsControl(c) ? ' ' : c));
        }
    }

    public ReadOnlySpan<byte> RawId => Raw(Id);

    /// <summary>
    /// Reads what a client sends, strictly: two parsers must never see two different messages in the same bytes. When
    /// it fails, the message holds at least the identifier if that was readable.
    /// </summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> bytes, out Message message, [NotNullWhen(false)] out RpcError? error)
    {
        var isRead = TryRead(bytes, MaxDepth, out message, out error);
        if (isRead && message.HasLookalike())
        {
            error = RpcError.InvalidRequest("A member's name differs from one of the protocol's by its case alone.");
        }

        return error is null;
    }

    /// <summary>Reads what a server sends: as strictly, and more deeply nested.</summary>
    public static bool TryReadAnswer(
        ReadOnlyMemory<byte> bytes, out Message message, [NotNullWhen(false)] out RpcError? error) =>
        TryRead(bytes, MaxAnswerDepth, out message, out error);

    public Part At(ReadOnlySpan<byte> name) => Find(-1, name, out _);

    public Part At(ReadOnlySpan<byte> outer, ReadOnlySpan<byte> name)
    {
        _ = Find(-1, outer, out var parent);
        return parent < 0 ? default : Find(parent, name, out _);
    }

    public Part At(ReadOnlySpan<byte> outer, ReadOnlySpan<byte> inner, ReadOnlySpan<byte> name)
    {
        _ = Find(-1, outer, out var parent);
        if (parent < 0)
        {
            return default;
        }

        _ = Find(parent, inner, out parent);
        return parent < 0 ? default : Find(parent, name, out _);
    }

    public Part Meta(ReadOnlySpan<byte> name) => At("params"u8, "_meta"u8, name);

    public ReadOnlySpan<byte> Raw(Part part) => Bytes.Span.Slice(part.Start, part.Length);

    /// <summary>The text of a string value; null when there is none, or none that is Unicode.</summary>
    public string? Text(Part part)
    {
        if (part.Type is not JsonTokenType.String)
        {
            return null;
        }

        var raw = Raw(part);
        if (raw.IndexOf((byte)'\\') < 0)
        {
            return Encoding.UTF8.GetString(raw[1..^1]);
        }

        var reader = new Utf8JsonReader(raw);
        reader.Read();
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: no text, whatever another parser makes of it.
            return null;
        }
    }

    public bool TryNumber(Part part, out int number)
    {
        number = 0;
        return part.Type is JsonTokenType.Number
            && Utf8Parser.TryParse(Raw(part), out number, out var read) && read == part.Length;
    }

    private static bool TryRead(
        ReadOnlyMemory<byte> bytes, int depth, out Message message, [NotNullWhen(false)] out RpcError? error)
    {
        var envelope = EnvelopeReader.Read(bytes, depth, out var because);
        message = new(bytes, envelope);
        error = because is null ? MessageRules.Refusal(message) : RpcError.Parse(because);
        if (error is not null)
        {
            return false;
        }

        message.Kind = message.Shape();
        return true;
    }

    // A server that does not mind the case would read an argument that was not judged (T109).
    private bool HasLookalike()
    {
        _ = Find(-1, "params"u8, out var parameters);
        foreach (var member in members)
        {
            if ((member.Parent < 0 || member.Parent == parameters) && Lookalike.Is(member.Name.Span))
            {
                return true;
            }
        }

        return false;
    }

    private Part Find(int parent, ReadOnlySpan<byte> name, out int index)
    {
        for (index = 0; index < members.Count; index++)
        {
            if (members[index].Parent == parent && members[index].Name.Span.SequenceEqual(name))
            {
                return members[index].Value;
            }
        }

        index = -1;
        return default;
    }

    private MessageKind Shape() =>
        At("method"u8).IsMissing ? MessageKind.Response
        : Id.IsMissing ? MessageKind.Notification
        : MessageKind.Request;

    private string MethodName()
    {
        var part = At("method"u8);
        return part.IsMissing ? "" : Methods.Known(Raw(part)[1..^1]) ?? Text(part)!;
    }
}
