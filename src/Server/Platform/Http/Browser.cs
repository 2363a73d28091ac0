using System.Buffers.Text;
using System.Security.Cryptography;
using Postern.Platform.Configuration;

namespace Postern.Platform.Http;

/// <summary>
/// Tells one browser from another before anybody has signed in: a random cookie that proves nothing but sameness. What
/// was begun in one browser goes on in that one only.
/// </summary>
internal sealed class Browser(Settings settings, RandomNumberGenerator random)
{
    private string Name => settings.IsHttps ? "__Host-postern_browser" : "postern_browser";

    /// <summary>SHA-256 of the cookie; null when the browser has none of the right form.</summary>
    public string? Known(HttpContext http) =>
        http.Request.Cookies[Name] is { Length: Secret.Length } value && Base64Url.IsValid(value)
            ? new Secret(value).Hash()
            : null;

    /// <summary>SHA-256 of the cookie, which is set when there is none.</summary>
    public string Ensure(HttpContext http)
    {
        if (Known(http) is { } known)
        {
            return known;
        }

        var made = Secret.New(random);
        http.Response.Cookies.Append(Name, made.Reveal(), new()
        {
            HttpOnly = true,
            Secure = settings.IsHttps,
            SameSite = SameSiteMode.Lax,
            Path = "/",
            IsEssential = true,
        });
        return made.Hash();
    }
}
