using Postern.Platform.Configuration;

namespace Postern.Platform.Tenants;

/// <summary>A tenant that is to be made, or one that is kept: what an operator decided about it.</summary>
internal sealed record NewTenant
{
    /// <summary>The most servers and self-registered clients that a tenant can be given.</summary>
    public const int MostServers = 1000, MostClients = 5000;

    public required string Name { get; init; }

    /// <summary>Its own host, as a Host header names it; null for a path below the issuer.</summary>
    public string? Host { get; init; }

    public TimeSpan? AccessLifetime { get; init; }

    public TimeSpan? RefreshIdle { get; init; }

    public TimeSpan? RefreshAbsolute { get; init; }

    public int Servers { get; init; } = 100;

    public int Clients { get; init; } = 1000;

    /// <summary>What is wrong with it, in words for an operator; null when it can be made.</summary>
    public string? Refusal(Tenant root) => this switch
    {
        _ when !ServerSeed.IsName(Name) || Name == root.Name =>
            "`name` must be 1 to 40 lower-case letters, digits and hyphens, with no hyphen at either end, and not "
            + "default.",
        { Host: { } host } when !IsHost(root, host) =>
            "`host` must be a host name of its own in lower case, with a port only if it is not the usual one, such as "
            + $"{(root.IsHttps ? "acme.example.com" : "acme.localhost:7400")}.",
        { AccessLifetime: { } life } when !IsWithin(life, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1)) =>
            "`access_lifetime` must be from 1m to 1h.",
        { RefreshIdle: { } idle } when !IsWithin(idle, TimeSpan.FromMinutes(10), TimeSpan.FromDays(365)) =>
            "`refresh_idle` must be from 10m to 365d.",
        { RefreshAbsolute: { } whole } when !IsWithin(whole, TimeSpan.FromHours(1), TimeSpan.FromDays(730)) =>
            "`refresh_absolute` must be from 1h to 730d.",
        { Servers: < 0 or > MostServers } => $"`servers` must be from 0 to {MostServers}.",
        { Clients: < 0 or > MostClients } => $"`clients` must be from 0 to {MostClients}.",
        _ => null,
    };

    /// <summary>The tenant as it stands beside the one of the configuration.</summary>
    public Tenant Under(Tenant root, TenantId id) => new()
    {
        Id = id,
        Name = Name,
        Issuer = Host is null ? $"{root.Issuer}/t/{Name}" : $"{(root.IsHttps ? "https" : "http")}://{Host}",
        AccessLifetime = AccessLifetime ?? root.AccessLifetime,
        RefreshIdle = RefreshIdle ?? root.RefreshIdle,
        RefreshAbsolute = RefreshAbsolute ?? root.RefreshAbsolute,
        MostServers = Servers,
        MostClients = Clients,
    };

    private static bool IsWithin(TimeSpan span, TimeSpan least, TimeSpan most) => least <= span && span <= most;

    // One spelling, the one that comes in a Host header; and without encryption only on this machine.
    private static bool IsHost(Tenant root, string host) =>
        host.Length <= 253
        && !host.AsSpan().ContainsAnyExceptInRange('!', '~')
        && host != root.Authority
        && Uri.TryCreate($"{(root.IsHttps ? "https" : "http")}://{host}", UriKind.Absolute, out var uri)
        && uri.Authority == host
        && uri is { UserInfo: "", AbsolutePath: "/", Query: "", Fragment: "" }
        && (root.IsHttps || uri.IsLoopback || uri.Host.EndsWith(".localhost", StringComparison.Ordinal));
}
