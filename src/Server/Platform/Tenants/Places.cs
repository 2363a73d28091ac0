using System.Collections.Frozen;

namespace Postern.Platform.Tenants;

/// <summary>Where tenants are found: below the root by their name, or at a host of their own.</summary>
internal sealed class Places
{
    private readonly FrozenDictionary<string, Tenant> hosts;
    private readonly FrozenDictionary<string, Tenant>.AlternateLookup<ReadOnlySpan<char>> names;

    public Places(IReadOnlyCollection<Tenant> all)
    {
        All = all;
        hosts = all.Where(tenant => tenant.Path is "").ToFrozenDictionary(tenant => tenant.Authority);
        names = all.Where(tenant => tenant.Path is not "")
            .ToFrozenDictionary(tenant => tenant.Name, StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public IReadOnlyCollection<Tenant> All { get; }

    public Tenant? Below(ReadOnlySpan<char> name) => names.TryGetValue(name, out var tenant) ? tenant : null;

    public Tenant? AtHost(string host) => hosts.GetValueOrDefault(host);
}
