using Microsoft.AspNetCore.Http.Features;

namespace Postern.Platform.Tenants;

/// <summary>
/// Finds out by the address of a request which tenant it is for, before anything else is read, and takes what names the
/// tenant out of the path. A tenant with a host of its own is there and nowhere else.
/// </summary>
internal sealed class TenantPlace(RequestDelegate next, TenantBook tenants, SecondAddress second)
{
    private const string Below = "/t/", WellKnown = "/.well-known/", OpenId = "/.well-known/openid-configuration";

    public Task InvokeAsync(HttpContext http)
    {
        // What came to the second address is for the tenant of the first, and from here on looks like that. Under any
        // other name it is for nobody.
        if (second.IsAsked(http))
        {
            http.Request.Host = new(second.FirstOf(http.Request.Host.Value ?? "") ?? "");
            http.Features.Set(new CameToSecond(second));
        }

        var host = http.Request.Host.Value ?? "";
        var tenant = host == tenants.Default.Authority ? ByPath(http.Request) : tenants.AtHost(host);
        http.Features.Set(tenant ?? tenants.Default);
        return next(http);
    }

    private Tenant? ByPath(HttpRequest request)
    {
        var path = request.Path.Value ?? "";
        if (path.StartsWith(Below, StringComparison.Ordinal))
        {
            // OpenID Connect Discovery §4 appends. RFC 8414 §3.1 and RFC 9728 §3.1 insert, and one document has one
            // place.
            return Find(path, out var rest) is { } tenant
                && (!rest.StartsWith(WellKnown, StringComparison.Ordinal) || rest is OpenId)
                    ? Move(request, tenant, rest)
                    : null;
        }

        // Where it is inserted: /.well-known/WORD/t/NAME and the rest.
        return path.StartsWith(WellKnown, StringComparison.Ordinal)
            && path.IndexOf('/', WellKnown.Length) is var at and > 0
            && path.AsSpan(at).StartsWith(Below, StringComparison.Ordinal)
            && Find(path[at..], out var behind) is { } inserted
                ? Move(request, inserted, path[..at] + behind)
                : null;
    }

    // The tenant that a path begins with, and what comes after it.
    private Tenant? Find(string path, out string rest)
    {
        var end = path.IndexOf('/', Below.Length);
        var name = path.AsSpan(Below.Length, (end < 0 ? path.Length : end) - Below.Length);
        rest = end < 0 ? "" : path[end..];
        return tenants.Below(name);
    }

    private static Tenant Move(HttpRequest request, Tenant tenant, string rest)
    {
        (request.PathBase, request.Path) = (tenant.Path, rest);
        return tenant;
    }
}

internal static class TenantPlaces
{
    extension(HttpContext http)
    {
        /// <summary>The tenant that is asked.</summary>
        public Tenant Tenant => http.Features.GetRequiredFeature<Tenant>();

        /// <summary>
        /// The address in it that was asked, for proofs that name it (RFC 9449 §4.3): at its issuer, or the second one.
        /// </summary>
        public string Asked(string path) =>
            http.Features.Get<CameToSecond>() is { Second: var second } && second.Of(http.Tenant) is { } address
                ? address + path
                : http.Tenant.Address(path);
    }
}
