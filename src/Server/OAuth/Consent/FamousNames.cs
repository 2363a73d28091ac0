using System.Collections.Frozen;
using System.Text;
using Postern.OAuth.Requests;
using Postern.Platform.Pages;

namespace Postern.OAuth.Consent;

/// <summary>
/// Stops a stranger who registers under a name that people trust. Programs on this computer cannot prove a name and
/// often bear these rightly, so they are let be: the page says that nobody can check them.
/// </summary>
internal static class FamousNames
{
    private static readonly FrozenDictionary<string, string[]> Owners = new Dictionary<string, string[]>
    {
        ["claude"] = ["claude.ai", "claude.com", "anthropic.com"],
        ["anthropic"] = ["claude.ai", "claude.com", "anthropic.com"],
        ["chatgpt"] = ["chatgpt.com", "openai.com"],
        ["openai"] = ["chatgpt.com", "openai.com"],
        ["gemini"] = ["google.com"],
        ["google"] = ["google.com"],
        ["copilot"] = ["microsoft.com", "github.com", "visualstudio.com"],
        ["microsoft"] = ["microsoft.com", "visualstudio.com"],
        ["visualstudio"] = ["microsoft.com", "visualstudio.com", "vscode.dev"],
        ["vscode"] = ["microsoft.com", "visualstudio.com", "vscode.dev"],
        ["github"] = ["github.com"],
        ["gitlab"] = ["gitlab.com"],
        ["slack"] = ["slack.com"],
        ["notion"] = ["notion.so", "notion.com"],
        ["atlassian"] = ["atlassian.com"],
        ["cursor"] = ["cursor.com", "cursor.sh"],
        ["windsurf"] = ["windsurf.com", "codeium.com"],
        ["perplexity"] = ["perplexity.ai"],
        ["mistral"] = ["mistral.ai"],
        ["postern"] = [],
    }.ToFrozenDictionary();

    // What passes for a Latin letter at a glance. Upright strokes are one letter: nobody tells I, l and 1 apart.
    private static readonly FrozenDictionary<int, char> Lookalikes = new Dictionary<char, string>
    {
        ['a'] = "аαɑàáâãäåā4@",
        ['b'] = "вьβ8",
        ['c'] = "сϲçćč",
        ['d'] = "ԁđ",
        ['e'] = "еєεèéêëēė3",
        ['g'] = "ɡԍğ9",
        ['h'] = "һн",
        ['k'] = "кκ",
        ['l'] = "iіıιɩìíîïīӏłĺ1!|",
        ['m'] = "мμ",
        ['n'] = "ոηпñń",
        ['o'] = "оοσöòóôõøō0",
        ['p'] = "рρ",
        ['q'] = "ԛ",
        ['r'] = "гř",
        ['s'] = "ѕśš5$",
        ['t'] = "тτť7",
        ['u'] = "υսùúûüū",
        ['v'] = "ѵν",
        ['w'] = "ԝшω",
        ['x'] = "хχ",
        ['y'] = "уγýÿ",
        ['z'] = "źżž2",
    }.SelectMany(pair => pair.Value.EnumerateRunes(), (pair, rune) => (rune.Value, pair.Key))
        .ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    public static bool IsBorrowed(Asker who, ReturnPlace place) =>
        who.Name is { } name
        && !place.IsThisComputer
        && !place.IsApp
        && Skeleton(name) is var letters
        && Owners.Any(owner => letters.Contains(Skeleton(owner.Key), StringComparison.Ordinal)
            && !owner.Value.Any(place.IsWithin));

    private static string Skeleton(string name)
    {
        var letters = new StringBuilder(name.Length);
        foreach (var rune in name.ToLowerInvariant().EnumerateRunes().Select(Plain))
        {
            letters.Append(Lookalikes.TryGetValue(rune.Value, out var letter)
                ? letter.ToString()
                : Rune.IsLetter(rune) ? rune.ToString() : "");
        }

        return letters.ToString();
    }

    // Full-width and mathematical alphabets repeat the Latin one in order.
    private static Rune Plain(Rune rune) => rune.Value switch
    {
        >= 0xFF41 and <= 0xFF5A => new('a' + rune.Value - 0xFF41),
        >= 0x1D400 and <= 0x1D6A3 => new('a' + (rune.Value - 0x1D400) % 26),
        _ => rune,
    };
}
