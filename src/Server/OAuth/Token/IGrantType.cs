using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Token;

/// <summary>One way to a grant. Everything the ways have in common is done before and after, by the endpoint.</summary>
internal interface IGrantType
{
    /// <summary>The value of <c>grant_type</c> this way answers to.</summary>
    string Name { get; }

    /// <summary>
    /// Finds the grant and checks everything about how it is presented. Consumes nothing: a request that fails later
    /// must leave the code or refresh token as good as it was.
    /// </summary>
    ValueTask<Result<Redemption>> RedeemAsync(TokenRequest request, Presenter presenter, CancellationToken stop);
}
