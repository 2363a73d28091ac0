namespace Postern.Domain;

/// <summary>An isolated issuer as it stands now: what it is called, where it is, and how long things last in it.</summary>
public sealed record Tenant
{
    public required TenantId Id { get; init; }

    /// <summary>The issuer of all its tokens, byte for byte as clients compare it (RFC 8414 §3.3).</summary>
    public required string Issuer { get; init; }

    public required TimeSpan AccessLifetime { get; init; }

    /// <summary>How long a refresh token may rest.</summary>
    public required TimeSpan RefreshIdle { get; init; }

    /// <summary>The longest a person can let somebody in for.</summary>
    public required TimeSpan RefreshAbsolute { get; init; }

    /// <summary>Where a token is good that tells who a person is (OpenID Connect Core §5.3), and nothing else.</summary>
    public string UserInfo => Address("/userinfo");

    /// <summary>An absolute address in it; never built from what a request says.</summary>
    public string Address(string path) => Issuer + path;
}
