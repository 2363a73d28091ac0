namespace Postern.Domain;

/// <summary>
/// An isolated issuer as it stands now: what it is called, where it is, and how long things last in it.
/// </summary>
public sealed record Tenant
{
    public required TenantId Id { get; init; }

    /// <summary>What operators call it; the identifier is never given again, a name may be.</summary>
    public required string Name { get; init; }

    /// <summary>The issuer of all its tokens, byte for byte as clients compare it (RFC 8414 §3.3).</summary>
    public required string Issuer
    {
        get;
        init
        {
            var uri = new Uri(value);
            field = value;
            Authority = uri.Authority;
            Origin = uri.GetLeftPart(UriPartial.Authority);
            Path = value[Origin.Length..];
        }
    }

    public required TimeSpan AccessLifetime { get; init; }

    /// <summary>How long a refresh token may rest.</summary>
    public required TimeSpan RefreshIdle { get; init; }

    /// <summary>The longest a person can let somebody in for.</summary>
    public required TimeSpan RefreshAbsolute { get; init; }

    /// <summary>
    /// Where a token is good that tells who a person is (OpenID Connect Core §5.3), and nothing else.
    /// </summary>
    public string UserInfo => Address("/userinfo");

    /// <summary>MCP servers that may be added to it.</summary>
    public required int MostServers { get; init; }

    /// <summary>Clients that may have registered themselves at it.</summary>
    public required int MostClients { get; init; }

    /// <summary>Host and port as a Host header names them.</summary>
    public string Authority { get; private init; } = "";

    /// <summary>What browsers say of its pages (RFC 6454 §6.2). Tenants below one host share it.</summary>
    public string Origin { get; private init; } = "";

    /// <summary>What stands before each of its paths: nothing, or <c>/t/</c> and its name.</summary>
    public string Path { get; private init; } = "";

    public bool IsHttps => Issuer.StartsWith("https://", StringComparison.Ordinal);

    /// <summary>An absolute address in it; never built from what a request says.</summary>
    public string Address(string path) => Issuer + path;

    /// <summary>
    /// An address as its pages and answers name it: one of ours, which begins with a slash, lies below
    /// <see cref="Path"/>; any other is left as it is.
    /// </summary>
    public string Local(string address) => address.StartsWith('/') ? Path + address : address;

    /// <summary>
    /// The name of a cookie. <c>__Host-</c> keeps it to this host and to encrypted connections; the identifier keeps
    /// apart the tenants that share a host.
    /// </summary>
    public string Cookie(string name) =>
        (IsHttps ? "__Host-postern_" : "postern_") + name + (Id == TenantId.Default ? "" : $"_{Id}");
}
