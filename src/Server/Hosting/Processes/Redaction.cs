using System.Text;
using System.Text.RegularExpressions;

namespace Postern.Hosting.Processes;

/// <summary>
/// Makes what a hosted server prints fit to be kept and shown: one line, bounded, without control characters, and
/// without the secrets it was given or such as are known by their form.
/// </summary>
internal sealed class Redaction
{
    public const int MaxLength = 1000;

    /// <summary>What is looked at of a line, in bytes. One of this length was cut, or is treated so.</summary>
    public const int Longest = 4096;

    private const int ShortestSecret = 6;

    // Without backtracking: whoever writes the lines must not choose how long we look at them.
    private static readonly Regex KnownForms = new(
        """
        eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*
        |\b(gh[pousr]_|github_pat_|glpat-|xox[a-z]-|sk-|sk_live_|rk_live_|npm_|AKIA|AIza)[A-Za-z0-9_-]{8,}
        |\b(bearer|basic|dpop)\s+[A-Za-z0-9._~+/=-]{8,}
        |\b[a-z0-9_-]*(password|passwd|secret|token|api[_-]?key|authorization|cookie)["']?\s*[=:]\s*["']?[^\s"',;&]{4,}
        |://[^\s/@:]*:[^\s/@]+@
        """,
        RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
            | RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture,
        TimeSpan.FromSeconds(1));

    private readonly string[] secrets;

    public Redaction(IEnumerable<string> secrets) =>
        this.secrets = [.. secrets.Where(text => text.Length >= ShortestSecret).OrderByDescending(text => text.Length)];

    public string Of(ReadOnlyMemory<byte> line)
    {
        var text = Encoding.UTF8.GetString(line.Span[..Math.Min(line.Length, Longest)]);
        foreach (var secret in secrets)
        {
            text = text.Replace(secret, "***", StringComparison.Ordinal);
        }

        text = KnownForms.Replace(line.Length < Longest ? text : WithoutHalves(text), "***");
        return Plain(text.Length > MaxLength ? text[..MaxLength] + "…" : text);
    }

    // Half a secret is not known for what it is: what may be the beginning of one goes, and so does the last word.
    private string WithoutHalves(string text)
    {
        text = text.TrimEnd('\ufffd'); // half a character
        var half = secrets.Select(secret => Overlap(text, secret)).DefaultIfEmpty().Max();
        return text[..Math.Max(0, text.AsSpan(0, text.Length - half).LastIndexOfAny(' ', '\t'))];
    }

    private static int Overlap(string text, string secret)
    {
        var length = Math.Min(text.Length, secret.Length - 1);
        while (!text.AsSpan().EndsWith(secret.AsSpan(0, length), StringComparison.Ordinal))
        {
            length--;
        }

        return length;
    }

    // A terminal or a log viewer must not obey what a server printed.
    private static string Plain(string text) =>
        text.Any(IsActive) ? string.Concat(text.Select(c => IsActive(c) ? '\ufffd' : c)) : text;

    private static bool IsActive(char c) =>
        (char.IsControl(c) && c is not '\t')
        || c is '\u200e' or '\u200f' or >= '\u2028' and <= '\u202e' or >= '\u2066' and <= '\u2069'; // turn text around
}
