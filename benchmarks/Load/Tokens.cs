using System.Text;

namespace Postern.Bench.Load;

/// <summary>Reads tokens out of an answer of a token endpoint, without a parser in the measured loop.</summary>
internal static class Tokens
{
    public static string Access(ReadOnlySpan<byte> body) => Member(body, "\"access_token\":\""u8);

    public static string Refresh(ReadOnlySpan<byte> body) => Member(body, "\"refresh_token\":\""u8);

    // Tokens consist of characters that JSON never escapes.
    private static string Member(ReadOnlySpan<byte> body, ReadOnlySpan<byte> name)
    {
        var at = body.IndexOf(name);
        var value = at < 0 ? default : body[(at + name.Length)..];
        return value.IndexOf((byte)'"') is var end and > 0
            ? Encoding.ASCII.GetString(value[..end])
            : throw new InvalidOperationException(
                $"No {Encoding.ASCII.GetString(name)} in {Encoding.UTF8.GetString(body)}");
    }
}
