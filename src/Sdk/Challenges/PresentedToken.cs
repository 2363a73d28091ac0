using Microsoft.AspNetCore.Http;
using Postern.AspNetCore.AccessTokens;

namespace Postern.AspNetCore.Challenges;

/// <summary>
/// Finds the token of a request (RFC 6750 §2.1, RFC 9449 §7.1). The Authorization header is the only place it may be.
/// </summary>
public static class PresentedToken
{
    private const string Bearer = "Bearer", Dpop = "DPoP";

    /// <summary>
    /// Takes the token out. A form body is not looked at, here or later: nothing of a body is read before it is known
    /// who sent it.
    /// </summary>
    /// <param name="request">The request as it came.</param>
    /// <param name="token">The token; empty when there is none, or the request used another scheme.</param>
    /// <param name="isDpop">The scheme is DPoP, so that a proof must come with it.</param>
    /// <returns>Null; or the refusal of a request that sent a token twice or in its URL (RFC 6750 §2, §3.1).</returns>
    public static TokenRefusal? Read(HttpRequest request, out ReadOnlyMemory<char> token, out bool isDpop)
    {
        (token, isDpop) = (default, false);
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

        var header = headers.ToString();
        isDpop = IsScheme(header, Dpop);
        if (!isDpop && !IsScheme(header, Bearer))
        {
            return null;
        }

        token = header.AsMemory((isDpop ? Dpop : Bearer).Length);
        if (token.IsEmpty)
        {
            return TokenRefusal.Request("token: the Authorization header names no token") with { IsDpop = isDpop };
        }

        token = token[1..];
        return null;
    }

    private static bool IsScheme(string header, string scheme) =>
        header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)
        && (header.Length == scheme.Length || header[scheme.Length] is ' ');
}
