using Postern.Platform.Configuration;

namespace Postern.Platform.Tenants;

/// <summary>
/// Where clients are asked for their certificates while browsers are not (RFC 8705 §5): the same host at another port.
/// What clients prove themselves at is served there, and what tells of it; no pages, and no administration.
/// </summary>
internal sealed class SecondAddress(Settings settings, TenantBook tenants)
{
    private const int Https = 443;

    private readonly int? port = settings.Tls?.Clients?.Port;

    /// <summary>What stands for a tenant's issuer there; null where there is none.</summary>
    public string? Of(Tenant tenant) =>
        port is { } number && HostOf(tenant) is { } host && FirstOf(With(host, number)) == tenant.Authority
            ? $"https://{With(host, number)}{tenant.Path}"
            : null;

    /// <summary>Whether a request came there.</summary>
    public bool IsAsked(HttpContext http) => port is not null && http.Connection.LocalPort == port;

    /// <summary>What a Host header names at the first address that names this at the second; null for none.</summary>
    // A tenant with a host of its own is at the port of https, as its issuer says; the root's may be elsewhere.
    public string? FirstOf(string authority)
    {
        var suffix = port is Https ? "" : $":{port}";
        if (!authority.EndsWith(suffix, StringComparison.Ordinal))
        {
            return null;
        }

        var host = authority[..^suffix.Length];
        return host == HostOf(tenants.Default) ? tenants.Default.Authority : host;
    }

    private static string HostOf(Tenant tenant) => new Uri(tenant.Issuer).Host;

    private static string With(string host, int number) => number is Https ? host : $"{host}:{number}";
}

/// <summary>Marks a request that came there.</summary>
internal sealed record CameToSecond(SecondAddress Second);
