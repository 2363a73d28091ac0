using Postern.Platform.Tenants;

namespace Postern.Platform.Http;

/// <summary>A browser that was here once does not come without TLS again (RFC 6797; FAPI 2.0 §5.2.3).</summary>
internal sealed class StrictTransport(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (http.Tenant.Issuer.StartsWith("https://", StringComparison.Ordinal))
        {
            http.Response.Headers.StrictTransportSecurity = "max-age=31536000";
        }

        return next(http);
    }
}
