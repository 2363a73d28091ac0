using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Postern.Audit;

namespace Postern.Tests.Gateway;

/// <summary>
/// A gateway with a server of each era behind it: <c>modern</c>, <c>legacy</c>, <c>crm</c>, which is the modern one
/// with a word of the operator's on its tools, and <c>away</c>.
/// </summary>
public abstract class BothEras : IAsyncLifetime
{
    private protected Behind modern = null!, legacy = null!;
    private protected GatewayHost host = null!;
    private protected readonly Arrivals arrivals = new();

    public virtual async ValueTask InitializeAsync()
    {
        (modern, legacy) = (await Behind.ModernAsync(), await Behind.LegacyAsync());
        host = await GatewayHost.StartAsync(
            $$"""
              - { name: modern, http: "{{modern.Url}}" }
              - { name: legacy, http: "{{legacy.Url}}" }
              - { name: crm, http: "{{modern.Url}}", tools: { echo: change } }
              - { name: away, http: "http://127.0.0.1:1/mcp" }
            """,
            replace: services => services.AddSingleton<IStartupFilter>(arrivals));
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await modern.DisposeAsync();
        await legacy.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected Behind BehindOf(string server) => server is "legacy" ? legacy : modern;

    /// <summary>Decisions and outcomes of calls, once there are so many: outcomes follow their answers.</summary>
    private protected async Task<List<AuditRow>> EntriesAsync(int count)
    {
        List<AuditRow> entries = [];
        await Eventually.TrueAsync(async () =>
        {
            var all = await host.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
            entries = [.. all.Where(
                entry => entry.Kind is AuditKinds.ToolCallDecision or AuditKinds.ToolCallOutcome)];
            return entries.Count >= count;
        });
        return entries;
    }
}
