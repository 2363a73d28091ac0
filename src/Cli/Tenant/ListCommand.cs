using System.CommandLine;

namespace Postern.Cli.Tenant;

/// <summary><c>postern tenant list</c></summary>
internal sealed class ListCommand : Command
{
    public ListCommand()
        : base("list", "Shows the tenants and where they are.") => SetAction(ListAsync);

    private static async Task<int> ListAsync(ParseResult parse, CancellationToken stop)
    {
        using var api = parse.OpenApi();
        var text = await api.GetAsync("/api/tenants", stop);
        return parse.Tell(api, text, CliJson.Default.TenantsAnswer, (screen, answer) => screen.Table(
            ["NAME", "ISSUER", "ACCESS", "REFRESH"],
            answer.Tenants.Select(tenant => (string[])
            [
                tenant.Name,
                tenant.Issuer,
                tenant.AccessLifetime,
                $"{tenant.RefreshIdle}, {tenant.RefreshAbsolute} at most",
            ])));
    }
}
