using Postern.OAuth.Requests;

namespace Postern.OAuth.Authorize;

/// <summary>What came of reading a request: whose it is and where it is answered, or why that is not known.</summary>
internal abstract record Arrival
{
    private Arrival()
    {
    }

    /// <summary>The request, and an address of its client's that is proven.</summary>
    public sealed record Known(AuthorizeRequest Request, ReturnAddress Back) : Arrival;

    /// <summary>It cannot be believed; its client may be told so.</summary>
    public sealed record Refused(ReturnAddress Back, OAuthError Error) : Arrival;

    /// <summary>Only the person can be told.</summary>
    public sealed record Shown(OAuthError Error) : Arrival;
}
