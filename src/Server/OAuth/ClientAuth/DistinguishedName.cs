using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// A distinguished name as people write it (RFC 4514), compared with that of a certificate by its parts: two spellings
/// of one name are equal, and a name that only prints like another is not.
/// </summary>
internal sealed class DistinguishedName
{
    // RFC 4514 §3, and what certificates of devices and people have besides.
    private static readonly Dictionary<string, string> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        ["CN"] = "2.5.4.3",
        ["L"] = "2.5.4.7",
        ["ST"] = "2.5.4.8",
        ["O"] = "2.5.4.10",
        ["OU"] = "2.5.4.11",
        ["C"] = "2.5.4.6",
        ["STREET"] = "2.5.4.9",
        ["DC"] = "0.9.2342.19200300.100.1.25",
        ["UID"] = "0.9.2342.19200300.100.1.1",
        ["serialNumber"] = "2.5.4.5",
        ["emailAddress"] = "1.2.840.113549.1.9.1",
    };

    // Types and values of each step, the last one of the certificate first; sorted within a step, which is a set.
    private readonly List<string> all;

    private DistinguishedName(List<string> all) => this.all = all;

    /// <summary>Null for what is no distinguished name, or one of nothing.</summary>
    public static DistinguishedName? Parse(string text)
    {
        var steps = new List<string>();
        foreach (var step in Split(text, ','))
        {
            var parts = new List<string>();
            foreach (var part in Split(step, '+'))
            {
                if (PartOf(part) is not { } read)
                {
                    return null;
                }

                parts.Add(read);
            }

            steps.Add(Joined(parts));
        }

        return new(steps);
    }

    public bool Is(X500DistinguishedName name)
    {
        try
        {
            return Steps(name.RawData).SequenceEqual(all);
        }
        catch (Exception malformed) when (malformed is AsnContentException or ArgumentException)
        {
            return false;
        }
    }

    // RFC 5280 §4.1.2.4, in the order of RFC 4514 §2.1: from the last to the first.
    private static List<string> Steps(byte[] der)
    {
        var steps = new List<string>();
        var reader = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        while (reader.HasData)
        {
            var set = reader.ReadSetOf();
            var parts = new List<string>();
            while (set.HasData)
            {
                var part = set.ReadSequence();
                parts.Add(Part(part.ReadObjectIdentifier(), ValueOf(part)));
            }

            steps.Insert(0, Joined(parts));
        }

        return steps;
    }

    private static string ValueOf(AsnReader part)
    {
        var tag = part.PeekTag();
        return tag.TagClass is TagClass.Universal && tag.TagValue is
            (int)UniversalTagNumber.UTF8String or (int)UniversalTagNumber.PrintableString
            or (int)UniversalTagNumber.IA5String or (int)UniversalTagNumber.NumericString
            or (int)UniversalTagNumber.BMPString or (int)UniversalTagNumber.T61String
                ? part.ReadCharacterString((UniversalTagNumber)tag.TagValue)
                : "\0" + Convert.ToHexString(part.ReadEncodedValue().Span);
    }

    private static string? PartOf(string text)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        var name = at > 0 ? text[..at].Trim(' ') : "";
        var type = Types.GetValueOrDefault(name) ?? (IsOid(name) ? name : null);
        var said = Trimmed(text[(at + 1)..]);
        var value = said.StartsWith('#') ? Decoded(said[1..]) : Unescaped(said);
        return type is null || value is not { Length: > 0 } ? null : Part(type, value);
    }

    // §2.4: after a number sign, the whole value as it stands in a certificate, in hexadecimal.
    private static string? Decoded(string hex)
    {
        try
        {
            var reader = new AsnReader(Convert.FromHexString(hex), AsnEncodingRules.DER);
            var value = ValueOf(reader);
            reader.ThrowIfNotEmpty();
            return value;
        }
        catch (Exception malformed) when (malformed is FormatException or AsnContentException or ArgumentException)
        {
            return null;
        }
    }

    // §2.4: characters after a backslash, and bytes of UTF-8 as two hexadecimal digits.
    private static string? Unescaped(string text)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < text.Length; i++)
        {
            var letter = text[i];
            if (letter is not '\\')
            {
                // §3: these stand for themselves only after a backslash.
                if (letter is '"' or ';' or '<' or '>' or '\0')
                {
                    return null;
                }

                bytes.AddRange(Encoding.UTF8.GetBytes(text, i, char.IsHighSurrogate(letter) ? 2 : 1));
                i += char.IsHighSurrogate(letter) ? 1 : 0;
            }
            else if (i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                bytes.Add(Convert.FromHexString(text.AsSpan(i + 1, 2))[0]);
                i += 2;
            }
            else if (i + 1 < text.Length && " \"#+,;<=>\\".Contains(text[i + 1], StringComparison.Ordinal))
            {
                bytes.Add((byte)text[++i]);
            }
            else
            {
                return null;
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    // Where no backslash stands before it.
    private static List<string> Split(string text, char between)
    {
        var (parts, start) = (new List<string>(), 0);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is '\\')
            {
                i++;
            }
            else if (text[i] == between)
            {
                parts.Add(text[start..i]);
                start = i + 1;
            }
        }

        parts.Add(text[start..]);
        return parts;
    }

    // People put a blank after a comma; one at the end counts when a backslash stands before it.
    private static string Trimmed(string text)
    {
        var end = text.TrimStart(' ').TrimEnd(' ');
        return end.EndsWith('\\') && text.EndsWith(' ') ? end + " " : end;
    }

    private static bool IsOid(string text) =>
        text.Contains('.') && text.Split('.').All(arc => arc.Length > 0 && arc.All(char.IsAsciiDigit));

    private static string Part(string type, string value) => $"{type}={value.Length}:{value}";

    private static string Joined(List<string> parts) => string.Join('+', parts.Order(StringComparer.Ordinal));
}
