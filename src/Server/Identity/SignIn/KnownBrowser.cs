using System.Security.Cryptography;
using System.Text;
using Postern.Identity.Users;
using Postern.Platform.Http;
using Postern.Platform.Keys;
using Postern.Platform.Tenants;

namespace Postern.Identity.SignIn;

/// <summary>
/// A long-lived sealed cookie that says which person signed in with this browser before. It lets nobody in; it only
/// sets the browser's tries apart from those of strangers.
/// </summary>
internal sealed class KnownBrowser(Sealer sealer, TimeProvider clock, RandomNumberGenerator random)
{
    private const string Purpose = "known-browser", Name = "known";

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);

    /// <summary>The name of this browser, if the person it knows is this one.</summary>
    public string? NameFor(HttpContext http, User user) =>
        Read(http) is [var subject, var name] && subject == user.Id.Value ? name : null;

    /// <summary>The name of this browser, whomever it knows.</summary>
    public string? NameOf(HttpContext http) => Read(http) is [_, var name] ? name : null;

    public void Remember(HttpContext http, User user)
    {
        var name = NameFor(http, user) ?? Secret.New(random).Hash()[..22];
        var value = sealer.Seal(http.Tenant.Id, Purpose, Encoding.ASCII.GetBytes($"{user.Id} {name}"));
        http.SetCookie(Name, value, clock.GetUtcNow() + Lifetime);
    }

    // The person and the browser.
    private string[]? Read(HttpContext http) =>
        http.Cookie(Name) is { } cookie && sealer.Open(http.Tenant.Id, Purpose, cookie) is { } plain
            ? Encoding.ASCII.GetString(plain).Split(' ')
            : null;
}
