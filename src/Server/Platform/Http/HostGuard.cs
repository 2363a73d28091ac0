using Postern.Platform.Tenants;

namespace Postern.Platform.Http;

/// <summary>
/// Serves only requests that name a host as the configuration, or a tenant's, does. A page whose name was rebound to
/// our address, and a request that hopes to see its own host in our links, are both turned away (CVE-2025-66414,
/// CVE-2026-29067). Probes come by address, so they are let pass; they tell nothing.
/// </summary>
internal sealed class HostGuard(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (http.Request.Host.Value == http.Tenant.Authority || http.Request.Path.Value is "/healthz" or "/readyz")
        {
            return next(http);
        }

        http.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync($"This server is {http.Tenant.Issuer}. Use that address.\n");
    }
}
