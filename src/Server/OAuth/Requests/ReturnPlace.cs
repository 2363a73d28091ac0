using Postern.Platform.Pages;

namespace Postern.OAuth.Requests;

/// <summary>Where the answer goes, in words for the person and as a form target for the browser.</summary>
public sealed record ReturnPlace
{
    private ReturnPlace(Uri redirect) => Redirect = redirect;

    private Uri Redirect { get; }

    private bool IsWeb => Redirect.Scheme is "http" or "https";

    /// <summary>Any program of this computer can listen there, so nobody can tell which one asks.</summary>
    public bool IsThisComputer => IsWeb && Redirect.IsLoopback;

    /// <summary>Any program of this device can claim the scheme.</summary>
    public bool IsApp => !IsWeb;

    /// <summary>The host for the web, the scheme for an app; never the path, which the client chose.</summary>
    public string Words => IsWeb ? Untrusted.Host(Redirect) : Redirect.Scheme;

    /// <summary>
    /// The CSP source that lets the form's answer redirect there. CSP has no IPv6 literals, so a loopback address of
    /// that kind is admitted by its scheme.
    /// </summary>
    public string FormTarget => Redirect switch
    {
        { Scheme: "http" or "https", HostNameType: not UriHostNameType.IPv6 } =>
            $"{Redirect.Scheme}://{Redirect.IdnHost}:{Redirect.Port}",
        _ => $"{Redirect.Scheme}:",
    };

    /// <summary>The answer goes to this domain or one below it.</summary>
    public bool IsWithin(string domain) =>
        Redirect.IdnHost == domain || Redirect.IdnHost.EndsWith("." + domain, StringComparison.Ordinal);

    public static ReturnPlace Of(Uri redirect) => new(redirect);
}
