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
            : new(to is "console" ? "/console" : "/me", null);

    private static string Name(Uri redirect) => redirect switch
    {
        { Scheme: "http" or "https", IsLoopback: true } => "a program on this computer",
        { Scheme: "http" or "https" } => Untrusted.Host(redirect),
        _ => "an app on this device",
    };
}
