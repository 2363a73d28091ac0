using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Postern.Domain;

/// <summary>A set of scope tokens (RFC 6749 §3.3), without repetition, in the order first named.</summary>
public sealed class Scopes : IEquatable<Scopes>
{
    public const string Read = "mcp:read";
    public const string Write = "mcp:write";
    public const string Destroy = "mcp:destroy";

    /// <summary>
    /// What some clients ask for beside a refresh token. It decides nothing here (ADR 0010). Offered by the
    /// authorization server, never by a resource.
    /// </summary>
    public const string OfflineAccess = "offline_access";

    /// <summary>Who the person is (OpenID Connect Core §3.1.2.1, §5.4).</summary>
    public const string OpenId = "openid", Profile = "profile", Email = "email";

    /// <summary>The most tokens one request may name, and the most characters they may have together.</summary>
    public const int MaxCount = 64, MaxLength = 2000;

    public static readonly Scopes None = new([]);

    /// <summary>What asks for an identity and for no tool.</summary>
    public static readonly Scopes Identity = Of(OpenId, Profile, Email);

    /// <summary>All that is served anywhere here.</summary>
    public static readonly Scopes Served = Of(Read, Write, Destroy, OpenId, Profile, Email, OfflineAccess);

    // RFC 6749 §3.3: %x21 / %x23-5B / %x5D-7E. The quotation mark and the backslash would end a quoted header value.
    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create(
        [.. Enumerable.Range(0x21, 0x7E - 0x21 + 1).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);

    private readonly string[] tokens;
    private readonly string text;

    private Scopes(string[] tokens) => (this.tokens, text) = (tokens, string.Join(' ', tokens));

    public IReadOnlyList<string> Tokens => tokens;

    public bool IsEmpty => tokens.Length is 0;

    public static Scopes Of(params IEnumerable<string> tokens) => new([.. tokens.Distinct(StringComparer.Ordinal)]);

    /// <summary>
    /// Reads a <c>scope</c> value. A single space separates; anything else outside the grammar is refused.
    /// </summary>
    public static bool TryParse(string? value, [NotNullWhen(true)] out Scopes? scopes)
    {
        scopes = null;
        if (string.IsNullOrEmpty(value))
        {
            scopes = None;
            return true;
        }

        var parts = value.Length > MaxLength ? [] : value.Split(' ');
        if (parts.Length is 0 or > MaxCount
            || parts.Any(part => part.Length is 0 || part.AsSpan().ContainsAnyExcept(TokenCharacters)))
        {
            return false;
        }

        scopes = parts.Length is 1 ? new(parts) : Of(parts);
        return true;
    }

    public bool Has(string token) => Array.IndexOf(tokens, token) >= 0;

    public bool IsWithin(Scopes other) => Array.TrueForAll(tokens, other.Has);

    public Scopes Intersect(Scopes other) => new([.. tokens.Where(other.Has)]);

    public Scopes Without(string token) => Has(token) ? new([.. tokens.Where(t => t != token)]) : this;

    public Scopes Without(Scopes other) =>
        Array.Exists(tokens, other.Has) ? new([.. tokens.Where(t => !other.Has(t))]) : this;

    public Scopes With(Scopes other) => Of([.. tokens, .. other.tokens]);

    public bool Equals(Scopes? other) => other is not null && tokens.Length == other.tokens.Length && IsWithin(other);

    public override bool Equals(object? obj) => Equals(obj as Scopes);

    public override int GetHashCode()
    {
        // Equal in any order, so the hash is the same in any order.
        var sum = 0;
        foreach (var token in tokens)
        {
            sum ^= token.GetHashCode(StringComparison.Ordinal);
        }

        return sum;
    }

    /// <summary>The wire form: tokens with one space between.</summary>
    public override string ToString() => text;
}
