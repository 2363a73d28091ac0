using System.Security.Cryptography;
using Postern.Platform;
using Postern.Platform.Configuration;

namespace Postern.Api;

/// <summary>
/// The credential of whoever runs this installation: a file only the owner of the data folder can read, made on the
/// first start. In memory is its hash alone. No token of the authorization server opens what it opens (CVE-2026-91998).
/// </summary>
internal sealed class AdminToken
{
    private const string Prefix = "pad_", Scheme = "Bearer ";
    private const int Length = 4 + Secret.Length;

    /// <exception cref="SetupException">The file cannot be made or read, or others can read it.</exception>
    public AdminToken(Settings settings, RandomNumberGenerator random)
    {
        var path = Path.Combine(settings.Data, "admin.token");
        var text = PrivateFile.Read(path, () => Prefix + Secret.New(random).Reveal()).Trim();
        Hash = text.Length == Length && text.StartsWith(Prefix, StringComparison.Ordinal)
            ? new Secret(text).Hash()
            : throw new SetupException($"{path} does not hold a token. Delete it; the next start makes a new one.");
    }

    /// <summary>SHA-256 of the token; what is made for its holder is bound to it.</summary>
    public string Hash { get; }

    /// <summary>Whether this is the value of an <c>Authorization</c> header that presents the token.</summary>
    public bool IsIn(string? authorization) =>
        authorization is not null
        && authorization.Length == Scheme.Length + Length
        && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && new Secret(authorization[Scheme.Length..]).Matches(Hash);
}
