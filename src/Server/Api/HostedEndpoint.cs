using Postern.Audit;
using Postern.Hosting.Processes;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.Api;

/// <summary>Servers that are local commands: what they print and what becomes of them, and a new start.</summary>
internal static class HostedEndpoint
{
    private const int LastErrors = 5;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/servers/{name}/log", ReadLog);
        api.MapPost("/servers/{name}/restart", RestartAsync);
    }

    public static async Task<HostedBody?> ReportAsync(McpServer server, HostedServers hosts)
    {
        if (server is not { Kind: ServerKind.Command, Sandbox: { } sandbox })
        {
            return null;
        }

        var all = hosts.StatusOf(server.Tenant, server.Name);
        return new(
            await hosts.LevelOfAsync(sandbox),
            hosts.StateOf(server.Tenant, server.Name),
            all.Count(each => each.State is HostedState.Running),
            all.Sum(each => each.Starts),
            all.Sum(each => each.Crashes),
            [.. all.Where(each => each.Crashes > 0).SelectMany(each => each.LastErrors).TakeLast(LastErrors)]);
    }

    private static IResult ReadLog(HttpContext http, string name, ServerBook servers, HostedServers hosts) =>
        IsCommand(http, name, servers)
            ? Results.Json(
                new LogBody(hosts.Tail(http.Tenant.Id, name, ServerLog.MaxTail)), ApiJson.Default.LogBody)
            : NoCommand;

    private static async Task<IResult> RestartAsync(
        HttpContext http, string name, ServerBook servers, HostedServers hosts, AuditLog audit)
    {
        if (!IsCommand(http, name, servers) || servers.Find(http.Tenant.Id, name) is not { } server)
        {
            return NoCommand;
        }

        await audit.WriteAsync(By.Admin(http, AuditKinds.AdminChanged) with
        {
            Action = "restart",
            Resource = server.Resource.Value,
        });
        await hosts.RestartAsync(http.Tenant.Id, name);
        return Results.NoContent();
    }

    private static Problem NoCommand => new(
        StatusCodes.Status404NotFound,
        "There is no local command of that name. `postern server list` shows all servers.");

    private static bool IsCommand(HttpContext http, string name, ServerBook servers) =>
        ServerSeed.IsName(name) && servers.Find(http.Tenant.Id, name) is { Kind: ServerKind.Command };
}
