using System.Text;

namespace Postern.Gateway.Inspect;

/// <summary>Names that differ from one of the protocol's by their case alone.</summary>
internal static class Lookalike
{
    public static bool Is(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => Resembles(name, "id"u8),
        3 => Resembles(name, "uri"u8),
        4 => Resembles(name, "name"u8),
        5 => Resembles(name, "_meta"u8) || Resembles(name, "error"u8),
        6 => Resembles(name, "method"u8) || Resembles(name, "params"u8) || Resembles(name, "result"u8)
            || Resembles(name, "cursor"u8) || Resembles(name, "taskId"u8),
        7 => Resembles(name, "jsonrpc"u8),
        9 => Resembles(name, "arguments"u8),
        12 => Resembles(name, "requestState"u8),
        14 => Resembles(name, "inputResponses"u8),
        _ => false,
    };

    private static bool Resembles(ReadOnlySpan<byte> name, ReadOnlySpan<byte> known) =>
        !name.SequenceEqual(known) && Ascii.EqualsIgnoreCase(name, known);
}
