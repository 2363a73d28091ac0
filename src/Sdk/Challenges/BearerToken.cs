using Microsoft.AspNetCore.Http;
using Postern.AspNetCore.AccessTokens;

namespace Postern.AspNetCore.Challenges;

/// <summary>
/// Finds the bearer token of a request (RFC 6750 §2.1). The Authorization header is the only place it may be.
/// </summary>
public static class BearerToken
{
    private const string Scheme = "Bearer ";

    /// <summary>
    /// Takes the token out. A form body is not looked at, here or later: nothing of a body is read before it is known
    /// who sent it.
    /// </summary>
    /// <param name="request">The request as it came.</param>
    /// <param name="token">The token; empty when there is none, or the request used another scheme.</param>
    /// <returns>Null; or the refusal of a request that sent a token twice or in its URL (RFC 6750 §2, §3.1).</returns>
    public static TokenRefusal? Read(HttpRequest request, out ReadOnlySpan<char> token)
    {
        token = default;
        var headers = request.Headers.Authorization;
        if (headers.Count > 1)
        {
            return TokenRefusal.Request("token: more than one Authorization header");
        }

        // OAuth 2.1 §5.1.2: URLs are logged and shared. Before Query is looked at, which builds a dictionary.
        if (request.QueryString.HasValue && request.Query.ContainsKey("access_token"))
        {
            return TokenRefusal.Request("token: in the query");
        }

        var header = headers.ToString().AsSpan();
        if (header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            token = header[Scheme.Length..];
        }
        else if (header.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return TokenRefusal.Request("token: the Authorization header names no token");
        }

        return null;
    }
}
