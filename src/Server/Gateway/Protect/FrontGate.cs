using System.Net;
using Postern.Platform.Tenants;

namespace Postern.Gateway.Protect;

/// <summary>
/// Which pages may knock. The Host was looked at already; a page says by its Origin where it is from, and one that is
/// not ours is turned away on every verb before anything is read (DNS rebinding).
/// </summary>
internal static class FrontGate
{
    private static readonly string[] AllowedHeaders =
    [
        "authorization", "content-type", "accept", "mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id",
        "last-event-id", "dpop", "traceparent", "tracestate", "baggage",
    ];

    /// <summary>
    /// False when the request has been answered: refused, or a browser's question before the real one.
    /// </summary>
    public static bool Admits(HttpContext http)
    {
        var asking = http.Request.Headers.Origin;
        if (asking.Count is 0)
        {
            return !IsPreflight(http);
        }

        if (asking is not [{ } one] || !IsAllowed(http.Tenant, one))
        {
            http.Response.StatusCode = StatusCodes.Status403Forbidden;
            return false;
        }

        var headers = http.Response.Headers;
        headers.AccessControlAllowOrigin = one;
        headers.Vary = "Origin";
        headers.AccessControlExposeHeaders = "WWW-Authenticate, Mcp-Session-Id, DPoP-Nonce";
        return !IsPreflight(http);
    }

    // Pages of this machine may call a server of this machine; what they lack is a token.
    private static bool IsAllowed(Tenant tenant, string asking) =>
        asking == tenant.Origin
        || (IsThisMachine(new(tenant.Origin))
            && Uri.TryCreate(asking, UriKind.Absolute, out var page)
            && IsThisMachine(page)
            && page.Scheme is "http" or "https"
            && page.GetLeftPart(UriPartial.Authority) == asking);

    private static bool IsThisMachine(Uri page) =>
        page.Host is "localhost"
        || (IPAddress.TryParse(page.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static bool IsPreflight(HttpContext http)
    {
        if (!HttpMethods.IsOptions(http.Request.Method))
        {
            return false;
        }

        var asked = http.Request.Headers.AccessControlRequestHeaders.ToString().ToLowerInvariant();
        var headers = http.Response.Headers;
        headers.AccessControlAllowMethods = "GET, POST, DELETE";
        headers.AccessControlAllowHeaders = string.Join(", ", asked
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(name => AllowedHeaders.Contains(name) || name.StartsWith("mcp-param-", StringComparison.Ordinal))
            .Take(32));
        headers.AccessControlMaxAge = "600";
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }
}
