using Postern.Platform.Tenants;

namespace Postern.Platform.Http;

/// <summary>
/// Keeps the second address to what clients with certificates need there. A browser knows no port in a cookie: a page
/// there would be the page of whoever is signed in at the first.
/// </summary>
internal sealed class SecondDoors(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (http.Features.Get<CameToSecond>() is not null
            && http.GetEndpoint()?.Metadata.GetMetadata<AtBothAddresses>() is null)
        {
            http.SetEndpoint(null);
        }

        return next(http);
    }
}
