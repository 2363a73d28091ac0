namespace Postern.OAuth.ClientAuth;

/// <summary>The name of a workload (SPIFFE-ID §2): its trust domain, and a path in it.</summary>
internal sealed record SpiffeId(string TrustDomain, string Path)
{
    public const string Scheme = "spiffe://";

    private const int MaxLength = 2048, MaxDomain = 255;

    /// <summary>Read strictly, so that one workload has one spelling; null for anything else.</summary>
    public static SpiffeId? Parse(string? text)
    {
        if (text is null or { Length: > MaxLength } || !text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return null;
        }

        var rest = text[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (domain, path) = slash < 0 ? (rest, "") : (rest[..slash], rest[slash..]);
        return IsDomain(domain) && (path is "" || path[1..].Split('/').All(IsSegment)) ? new(domain, path) : null;
    }

    public static bool IsDomain(string text) =>
        text.Length is > 0 and <= MaxDomain
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '_');

    public override string ToString() => Scheme + TrustDomain + Path;

    private static bool IsSegment(string text) =>
        text is not ("" or "." or "..")
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
}

/// <summary>The workloads that are one client: one of them, or all below a path (<c>/*</c> at the end).</summary>
internal sealed record SpiffePattern(SpiffeId Id, bool IsPrefix)
{
    public static SpiffePattern? Parse(string text)
    {
        var isPrefix = text.EndsWith("/*", StringComparison.Ordinal);
        return SpiffeId.Parse(isPrefix ? text[..^2] : text) is { } id && (isPrefix || id.Path is not "")
            ? new(id, isPrefix)
            : null;
    }

    /// <summary>By whole segments: <c>/agent/*</c> is neither <c>/agent</c> nor <c>/agents/1</c>.</summary>
    public bool Has(SpiffeId id) =>
        id.TrustDomain == Id.TrustDomain
        && (IsPrefix ? id.Path.StartsWith(Id.Path + "/", StringComparison.Ordinal) : id.Path == Id.Path);
}
