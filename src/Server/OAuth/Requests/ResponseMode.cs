namespace Postern.OAuth.Requests;

/// <summary>
/// How an answer travels (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode §2, JARM §2.3).
/// </summary>
/// <param name="IsForm">The browser posts it, so that it stands in no address.</param>
/// <param name="IsSigned">It is one JWT that nobody on the way can change or take apart.</param>
internal sealed record ResponseMode(bool IsForm, bool IsSigned)
{
    private static readonly ResponseMode Query = new(IsForm: false, IsSigned: false);

    /// <summary>The mode of that name, the usual one for none; null when it is not served.</summary>
    public static ResponseMode? Parse(string? name) => name switch
    {
        null or "query" => Query,
        "form_post" => new(IsForm: true, IsSigned: false),
        "jwt" or "query.jwt" => new(IsForm: false, IsSigned: true),
        "form_post.jwt" => new(IsForm: true, IsSigned: true),
        _ => null,
    };
}

/// <summary>The way back to a client: to an address that is proven to be its own, in the mode it asked for.</summary>
internal sealed record ReturnWay(ClientId Client, string Uri, string? State, string? Mode);
