using Microsoft.AspNetCore.WebUtilities;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;

namespace Postern.OAuth.Logout;

/// <summary>
/// A logout request whose client and address are proven to belong together. Only <see cref="CheckAsync"/> makes one:
/// to no other address is anybody sent.
/// </summary>
internal sealed record ValidLogoutRequest
{
    private ValidLogoutRequest()
    {
    }

    /// <summary>Null when the request names none.</summary>
    public required Client? Client { get; init; }

    /// <summary>The ID token the client brought, which proves that it knew the person.</summary>
    public required OwnIdToken? Hint { get; init; }

    /// <summary>Where the person goes afterwards, with the state; null for nowhere.</summary>
    public required string? Address { get; init; }

    public static async ValueTask<Result<ValidLogoutRequest>> CheckAsync(
        Tenant tenant,
        LogoutRequest request,
        ClientBook clients,
        OwnIdTokens hints,
        string network,
        CancellationToken stop)
    {
        var hint = request.IdTokenHint is { } text ? await hints.ReadAsync(tenant, text) : null;
        if (hint is null != request.IdTokenHint is null)
        {
            return OAuthError.InvalidRequest("What the app sent along to say who you are is not from here.");
        }

        if (hint is not null && request.ClientId is not null && request.ClientId != hint.Client)
        {
            return OAuthError.InvalidRequest("The app speaks for another app.");
        }

        Client? client = null;
        var id = hint?.Client ?? request.ClientId;
        if (id is not null
            && (await clients.FindKnownAsync(tenant.Id, id, network, stop)).Failed(out var error, out client))
        {
            return error;
        }

        // §3: exactly one that the client registered.
        return request.RedirectUri is { } uri && client?.OpenId.PostLogoutRedirectUris.Contains(uri) is not true
            ? OAuthError.InvalidRequest("The address to go to afterwards is not registered for this app.")
            : new ValidLogoutRequest
            {
                Client = client,
                Hint = hint,
                Address = With(request.RedirectUri, request.State),
            };
    }

    private static string? With(string? uri, string? state) =>
        uri is not null && state is not null ? QueryHelpers.AddQueryString(uri, "state", state) : uri;
}
