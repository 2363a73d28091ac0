using System.Security.Cryptography;
using System.Text;
using Postern.Identity.Users;
using Postern.Platform.Configuration;
using Postern.Platform.Keys;

namespace Postern.Identity.SignIn;

/// <summary>
/// A long-lived sealed cookie that says which person signed in with this browser before. It lets nobody in; it only
/// sets the browser's tries apart from those of strangers.
/// </summary>
internal sealed class KnownBrowser(Settings settings, Sealer sealer, TimeProvider clock, RandomNumberGenerator random)
{
    private const string Purpose = "known-browser";

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);

    private string CookieName => settings.IsHttps ? "__Host-postern_known" : "postern_known";

    /// <summary>The name of this browser, if the person it knows is this one.</summary>
    public string? NameFor(HttpContext http, User user) =>
        Read(http) is [var subject, var name] && subject == user.Id.Value ? name : null;

    /// <summary>The name of this browser, whomever it knows.</summary>
    public string? NameOf(HttpContext http) => Read(http) is [_, var name] ? name : null;

    public void Remember(HttpContext http, User user)
    {
        var name = NameFor(http, user) ?? Secret.New(random).Hash()[..22];
        var value = sealer.Seal(Purpose, Encoding.ASCII.GetBytes($"{user.Id} {name}"));
        http.Response.Cookies.Append(CookieName, value, new()
        {
            HttpOnly = true,
            Secure = settings.IsHttps,
            SameSite = SameSiteMode.Lax,
            Path = "/",
            IsEssential = true,
            Expires = clock.GetUtcNow() + Lifetime,
        });
    }

    // The person and the browser.
    private string[]? Read(HttpContext http) =>
        http.Request.Cookies[CookieName] is { } cookie && sealer.Open(Purpose, cookie) is { } plain
            ? Encoding.ASCII.GetString(plain).Split(' ')
            : null;
}
