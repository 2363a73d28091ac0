using Postern.Platform.Tenants;

namespace Postern.Platform.Http;

/// <summary>
/// The cookies of our pages: each tenant has its own, none is readable by a script, and none goes where another site
/// sends the browser with a form.
/// </summary>
internal static class Cookies
{
    extension(HttpContext http)
    {
        /// <summary>The value this browser keeps for this tenant; null when there is none.</summary>
        public string? Cookie(string name) =>
            http.Request.Headers.Cookie.Count is 0 ? null : http.Request.Cookies[http.Tenant.Cookie(name)];

        /// <param name="name">The name within the tenant.</param>
        /// <param name="value">What to keep.</param>
        /// <param name="expires">Until when; null for as long as the browser is open.</param>
        public void SetCookie(string name, string value, DateTimeOffset? expires = null) =>
            http.Response.Cookies.Append(http.Tenant.Cookie(name), value, Options(http.Tenant, expires));

        public void DropCookie(string name) =>
            http.Response.Cookies.Delete(http.Tenant.Cookie(name), Options(http.Tenant, null));
    }

    private static CookieOptions Options(Tenant tenant, DateTimeOffset? expires) => new()
    {
        HttpOnly = true,
        Secure = tenant.IsHttps,
        SameSite = SameSiteMode.Lax,
        Path = "/",
        IsEssential = true,
        Expires = expires,
    };
}
