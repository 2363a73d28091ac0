using Postern.Platform.Configuration;

namespace Postern.Platform.Tenants;

/// <summary>The tenants, in memory. The one of the configuration lives at the root and is always there.</summary>
internal sealed class TenantBook(Settings settings)
{
    public Tenant Default { get; } = new()
    {
        Id = TenantId.Default,
        Issuer = settings.Issuer,
        AccessLifetime = settings.AccessLifetime,
        RefreshIdle = settings.RefreshIdle,
        RefreshAbsolute = settings.RefreshAbsolute,
    };

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<Tenant> All => [Default];

    /// <summary>A tenant that is known to be there.</summary>
    /// <exception cref="KeyNotFoundException">It is not there.</exception>
    public Tenant this[TenantId id] => Find(id) ?? throw new KeyNotFoundException($"There is no tenant {id}.");

    /// <summary>The tenant of that name; null when there is none, or no more.</summary>
    public Tenant? Find(TenantId id) => id == Default.Id ? Default : null;
}
