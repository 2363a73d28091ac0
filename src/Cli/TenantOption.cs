using System.CommandLine;
using System.CommandLine.Parsing;

namespace Postern.Cli;

/// <summary>Which tenant of the server is meant; the one at the root when it is left out.</summary>
internal sealed class TenantOption : Option<string?>
{
    public const string Flag = "--tenant";

    private const int MaxLength = 40;

    public TenantOption()
        : base(Flag)
    {
        Description =
            "The tenant that is meant; otherwise the one at the root. One with a host of its own is a --server.";
        HelpName = "NAME";
        Recursive = true;
        Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && !IsName(text))
            {
                result.AddError($"`{text}` is no name of a tenant. `postern tenant list` shows them.");
            }
        });
    }

    /// <summary>Where the API of the tenant that is meant begins.</summary>
    public static string PathOf(ParseResult parse) =>
        parse.GetResult(Flag) is OptionResult result && result.GetValueOrDefault<string?>() is { } name
            ? $"/t/{name}"
            : "";

    private static bool IsName(string text) =>
        text.Length is > 0 and <= MaxLength
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-');
}
