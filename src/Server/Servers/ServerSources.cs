using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Tenants;

namespace Postern.Servers;

/// <summary>Makes servers of what stands in the configuration, of what the API added, and the demo.</summary>
internal sealed class ServerSources(Settings settings, TenantBook tenants)
{
    public Dictionary<(TenantId, string), McpServer> Configured()
    {
        var all = new Dictionary<(TenantId, string), McpServer>();
        foreach (var seed in settings.Servers)
        {
            var server = Make(TenantId.Default, seed.Name, seed.Title) with
            {
                Kind = seed.Http is null ? ServerKind.Command : ServerKind.Http,
                Url = seed.Http,
                IsConfigured = true,
                Command = seed.Command,
                Sandbox = seed.Sandbox,
                RequiresDpop = seed.RequiresDpop,
                RequiresCertificate = seed.RequiresCertificate,
                Demands = SignInDemands.From(seed.Require),
                Declares = Declarations.From(seed.Declares),
                TakesTransactionTokens = seed.TransactionTokens,
                Token = TokenForm.Of(seed.Token),
                Risks = seed.Tools.ToDictionary(
                    tool => tool.Key, tool => Risks.Parse(tool.Value)!.Value, StringComparer.Ordinal),
            };
            all.Add((server.Tenant, server.Name), server);
        }

        return all;
    }

    /// <summary>Every tenant has the demo, unless the operator has none; one that was there stays the same.</summary>
    public void AddDemos(
        Dictionary<(TenantId, string), McpServer> all, Dictionary<(TenantId, string), McpServer> before)
    {
        foreach (var tenant in settings.Demo ? tenants.All : [])
        {
            var key = (tenant.Id, Settings.DemoServer);
            all.TryAdd(key, before.GetValueOrDefault(key) is { Kind: ServerKind.Native } same
                ? same
                : Make(tenant.Id, Settings.DemoServer, "Notes") with { Kind = ServerKind.Native });
        }
    }

    public McpServer Added(ServerStore.Row row)
    {
        var added = row.Settings;
        return Make(row.Tenant, row.Name, added.Title) with
        {
            Kind = ServerKind.Http,
            Url = new(added.Url),
            RequiresDpop = added.RequireDpop,
            Demands = SignInDemands.From(added.Require),
            Declares = Declarations.From(added.Declares),
            TakesTransactionTokens = added.TransactionTokens,
            Token = TokenForm.Of(added.Token),
            Risks = added.Tools.ToDictionary(
                tool => tool.Key, tool => Risks.Parse(tool.Value) ?? Risk.Destroy, StringComparer.Ordinal),
        };
    }

    private McpServer Make(TenantId tenant, string name, string? title) => new()
    {
        Tenant = tenant,
        Name = name,
        Title = title ?? name,
        Kind = ServerKind.Http,
        Resource = Resource.TryParse(AddressOf(tenant, name), out var resource)
            ? resource
            : throw new SetupException($"`{name}` makes no address."),
    };

    public string AddressOf(TenantId tenant, string name) => tenants[tenant].Address($"/mcp/{name}");
}
