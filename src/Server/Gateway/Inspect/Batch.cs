using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Postern.Gateway.Inspect;

/// <summary>
/// Several messages in one body: part of the revision 2025-03-26 alone. Each is read and judged by itself.
/// </summary>
internal static class Batch
{
    public const int Most = 50;

    public static bool Is(ReadOnlySpan<byte> body) => body.TrimStart(" \t\r\n"u8) is [(byte)'[', ..];

    public static bool TrySplit(ReadOnlyMemory<byte> body, [NotNullWhen(true)] out List<ReadOnlyMemory<byte>>? messages)
    {
        messages = [];
        var reader = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = Message.MaxDepth + 1 });
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                messages.Add(body[start..(int)reader.BytesConsumed]);
            }

            return !reader.Read() && messages.Count is > 0 and <= Most;
        }
        catch (JsonException)
        {
            messages = null;
            return false;
        }
    }
}
