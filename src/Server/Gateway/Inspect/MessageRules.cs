using System.Text.Json;

namespace Postern.Gateway.Inspect;

/// <summary>What makes a message a request, a notification or a response (JSON-RPC 2.0 §4, §5).</summary>
internal static class MessageRules
{
    /// <summary>Why it is none of the three; null for one that is.</summary>
    public static RpcError? Refusal(Message message)
    {
        if (!message.Raw(message.At("jsonrpc"u8)).SequenceEqual("\"2.0\""u8))
        {
            return RpcError.InvalidRequest("jsonrpc must be \"2.0\".");
        }

        var isResponse = message.At("method"u8).IsMissing;
        if (!message.Id.IsMissing && !IdIsValid(message, isResponse))
        {
            return RpcError.InvalidRequest("id must be a string or an integer, of at most 256 characters.");
        }

        return isResponse ? ResponseRefusal(message) : RequestRefusal(message);
    }

    // An answer to something that could not be read has a null for an identifier; a request never has.
    private static bool IdIsValid(Message message, bool isResponse) => message.Id switch
    {
        { Length: > 256 } => false,
        { Type: JsonTokenType.String } => true,
        { Type: JsonTokenType.Number } => message.Raw(message.Id).IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0,
        { Type: JsonTokenType.Null } => isResponse && !message.At("error"u8).IsMissing,
        _ => false,
    };

    private static RpcError? RequestRefusal(Message message)
    {
        if (message.At("method"u8) is not { Type: JsonTokenType.String, Length: > 2 and <= 130 } method
            || message.Text(method) is null)
        {
            return RpcError.InvalidRequest("method must be a string of 1 to 128 characters.");
        }

        if (!message.Params.IsMissing && message.Params.Type is not JsonTokenType.StartObject)
        {
            return RpcError.InvalidRequest("params must be an object.");
        }

        return !message.Result.IsMissing || !message.At("error"u8).IsMissing
            ? RpcError.InvalidRequest("A message with a method has neither result nor error.")
            : null;
    }

    private static RpcError? ResponseRefusal(Message message)
    {
        var failed = message.At("error"u8);
        if (message.Id.IsMissing || message.Result.IsMissing == failed.IsMissing)
        {
            return RpcError.InvalidRequest("A message has a method, or an id with either result or error.");
        }

        if (!message.Result.IsMissing)
        {
            return message.Result.Type is JsonTokenType.StartObject
                ? null
                : RpcError.InvalidRequest("result must be an object.");
        }

        return message.TryNumber(message.At("error"u8, "code"u8), out _)
            && message.At("error"u8, "message"u8).Type is JsonTokenType.String
                ? null
                : RpcError.InvalidRequest("error must have an integer code and a message.");
    }
}
