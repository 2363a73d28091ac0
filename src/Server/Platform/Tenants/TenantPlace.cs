using Microsoft.AspNetCore.Http.Features;

namespace Postern.Platform.Tenants;

/// <summary>Finds out by the address of a request which tenant it is for, before anything else is read.</summary>
internal sealed class TenantPlace(RequestDelegate next, TenantBook tenants)
{
    public Task InvokeAsync(HttpContext http)
    {
        http.Features.Set(tenants.Default);
        return next(http);
    }
}

internal static class TenantPlaces
{
    extension(HttpContext http)
    {
        /// <summary>The tenant that is asked.</summary>
        public Tenant Tenant => http.Features.GetRequiredFeature<Tenant>();
    }
}
