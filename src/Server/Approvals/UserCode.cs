using System.Security.Cryptography;

namespace Postern.Approvals;

/// <summary>
/// A code that a person carries from one screen to another (RFC 8628 §6.1): eight consonants, so that it spells nothing
/// and no letter passes for another; 34 bits.
/// </summary>
internal static class UserCode
{
    private const string Letters = "BCDFGHJKLMNPQRSTVWXZ";

    private const int Length = 8, MaxTyped = 40;

    public static string New(RandomNumberGenerator random)
    {
        Span<byte> bytes = stackalloc byte[64];
        var code = "";
        while (code.Length < Length)
        {
            random.GetBytes(bytes);
            foreach (var value in bytes)
            {
                // Those above the last multiple would make some letters likelier.
                code += code.Length < Length && value < 240 ? Letters[value % Letters.Length].ToString() : "";
            }
        }

        return code;
    }

    /// <summary>The code a person means by what they typed; null when it can be none.</summary>
    public static string? Read(string? typed)
    {
        if (typed is not { Length: <= MaxTyped })
        {
            return null;
        }

        var code = string.Concat(typed.ToUpperInvariant().Where(c => c is not ('-' or ' ')));
        return code.Length is Length && code.All(Letters.Contains) ? code : null;
    }

    /// <summary>As it is shown: <c>BCDF-GHJK</c>.</summary>
    public static string Shown(string code) => $"{code[..(Length / 2)]}-{code[(Length / 2)..]}";
}
