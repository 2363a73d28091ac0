using System.Buffers.Text;
using System.Security.Cryptography;

namespace Postern.Platform.Http;

/// <summary>
/// Tells one browser from another before anybody has signed in: a random cookie that proves nothing but sameness. What
/// was begun in one browser goes on in that one only.
/// </summary>
internal sealed class Browser(RandomNumberGenerator random)
{
    private const string Name = "browser";

    /// <summary>SHA-256 of the cookie; null when the browser has none of the right form.</summary>
    public static string? Known(HttpContext http) =>
        http.Cookie(Name) is { Length: Secret.Length } value && Base64Url.IsValid(value)
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
        http.SetCookie(Name, made.Reveal());
        return made.Hash();
    }
}
