using System.CommandLine;

namespace Postern.Cli;

/// <summary>Which server is spoken to: the origin of its addresses, and nothing behind it.</summary>
internal sealed class ServerOption : Option<string?>
{
    public const string Flag = "--server";

    public ServerOption()
        : base(Flag)
    {
        Description = "The server to speak to; otherwise the one of the last login, or http://localhost:7400.";
        HelpName = "URL";
        Recursive = true;
        Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && Origin(text) is null)
            {
                result.AddError($"`{text}` is not the address of a server. It looks like http://localhost:7400, "
                    + "with nothing behind the port.");
            }
        });
    }

    /// <summary>The origin in one spelling; null for anything else.</summary>
    public static string? Origin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && uri is { Scheme: "http" or "https", UserInfo: "", AbsolutePath: "/", Query: "", Fragment: "" }
            ? uri.GetLeftPart(UriPartial.Authority)
            : null;
}
