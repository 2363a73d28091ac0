using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Token;

/// <summary>The grant types that are served; the metadata lists the same.</summary>
internal sealed class GrantTypes(IEnumerable<IGrantType> ways)
{
    private readonly Dictionary<string, IGrantType> byName = ways.ToDictionary(way => way.Name, StringComparer.Ordinal);

    public Result<Way> Find(TokenRequest request, Client client)
    {
        if (!byName.TryGetValue(request.GrantType, out var way))
        {
            return new OAuthError("unsupported_grant_type", "This grant_type is not served.");
        }

        // RFC 6749 §5.2: what a client is registered for is checked before anything of the grant type runs.
        return client.GrantTypes.Contains(way.Name)
            ? new Way(way)
            : OAuthError.UnauthorizedClient("The client is not registered for this grant_type.");
    }

    /// <summary>
    /// A grant type this client may use. (A result holds no interface, so the interface is held by this.)
    /// </summary>
    internal sealed class Way(IGrantType type)
    {
        public ValueTask<Result<Redemption>> RedeemAsync(
            TokenRequest request, Presenter presenter, CancellationToken stop) =>
            type.RedeemAsync(request, presenter, stop);
    }
}
