using Microsoft.AspNetCore.WebUtilities;
using Postern.Grants;
using Postern.Platform.Pages;

namespace Postern.Identity.SignIn;

/// <summary>
/// Where a browser goes after it has signed in: back to the request it came from, if that was sealed for this browser,
/// or to one of our own pages. No address is ever taken from a request.
/// </summary>
internal sealed record SignInReturn
{
    private SignInReturn(string path, string? waiting) => (Path, Waiting) = (path, waiting);

    public string Path { get; }

    /// <summary>Who waits for the person, by what is known of it.</summary>
    public string? Waiting { get; }

    public static SignInReturn Of(
        TenantId tenant, string? transaction, string? to, Proposals proposals, string? browser) =>
        proposals.Open(tenant, transaction, browser) is { } proposal
            ? new(
                QueryHelpers.AddQueryString("/authorize", "transaction", transaction!),
                Name(new(proposal.RedirectUri)))
            : new(PageOf(to), null);

    // One of our own pages, with at most a word of what it is about.
    private static string PageOf(string? to) => to switch
    {
        "console" => "/console",
        "device" => "/device",
        ['d', 'e', 'v', 'i', 'c', 'e', '-', .. var code] when IsWord(code) => $"/device?user_code={code}",
        ['a', 's', 'k', '-', .. var name] when IsWord(name) => $"/i/{name}",
        _ => "/me",
    };

    private static bool IsWord(string text) => text.Length is > 0 and <= 40 && text.All(char.IsAsciiLetterOrDigit);

    private static string Name(Uri redirect) => redirect switch
    {
        { Scheme: "http" or "https", IsLoopback: true } => "a program on this computer",
        { Scheme: "http" or "https" } => Untrusted.Host(redirect),
        _ => "an app on this device",
    };
}
