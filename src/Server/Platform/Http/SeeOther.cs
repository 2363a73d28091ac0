using Postern.Platform.Tenants;

namespace Postern.Platform.Http;

/// <summary>
/// Sends the browser on with a GET (RFC 9110 §15.4.4). Never 307 or 308, which would carry what a form held to the
/// next place (RFC 9700 §4.12). A path is one of the tenant's that was asked.
/// </summary>
internal sealed class SeeOther(string address) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = httpContext.Tenant.Local(address);
        httpContext.Response.Headers.CacheControl = "no-store";
        httpContext.Response.Headers["Referrer-Policy"] = "no-referrer";
        return Task.CompletedTask;
    }
}
