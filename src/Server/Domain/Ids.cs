using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Domain;

/// <summary>An isolated issuer. Every stored key begins with it, so nothing can be found across tenants.</summary>
public readonly record struct TenantId(string Value)
{
    /// <summary>The tenant that lives at the root of the issuer.</summary>
    public static readonly TenantId Default = new("default");

    public override string ToString() => Value;
}

/// <summary>A <c>client_id</c> (RFC 6749 §2.2): generated, configured, or the URL of a metadata document.</summary>
public readonly record struct ClientId(string Value)
{
    /// <summary>The client is its own metadata document (CIMD). Generated identifiers never look like this.</summary>
    public bool IsDocument => Value.StartsWith("https://", StringComparison.Ordinal);

    private const string Workload = "wl_";

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");

    /// <summary>The name by which a program is a client here that its platform vouches for.</summary>
    public static ClientId OfWorkload(string issuer, string subject) => new(
        Workload + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{issuer}\n{subject}")))[..32]);

    public static bool IsWorkload(string text) =>
        text.Length is 35 && text.StartsWith(Workload, StringComparison.Ordinal)
        && text.AsSpan(Workload.Length).IndexOfAnyExcept(Hex) < 0;

    public override string ToString() => Value;
}

/// <summary>Who a token speaks for: a person, or a client that acts as itself.</summary>
public readonly record struct SubjectId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>A grant, <c>gr_</c> and 32 hexadecimal digits that sort by time.</summary>
public readonly record struct GrantId(string Value)
{
    public const string Prefix = "gr_";

    public static GrantId New(DateTimeOffset now, RandomNumberGenerator random) =>
        new(Prefix + random.Version7(now).ToString("N"));

    public override string ToString() => Value;
}

/// <summary>One copy of a client on one device or server; named, seen and revoked alone.</summary>
public readonly record struct InstallationId(string Value)
{
    public override string ToString() => Value;
}
