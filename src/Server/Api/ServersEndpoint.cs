using System.Diagnostics;
using Postern.Audit;
using Postern.Grants;
using Postern.Hosting.Processes;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.Api;

/// <summary>
/// The MCP servers of this installation. A server of the configuration is changed there and not here.
/// </summary>
internal static class ServersEndpoint
{
    private const string Added = "api";

    private const string Shape =
        "Send application/json, at most 32 KiB, with `name` and `url` and, if you like, `title`, `tools` (names "
            + "with read, change or destroy), `require_dpop`, `require`, `transaction_tokens`, `token` (`lifetime`, "
            + "`format`, `status_list`) and `declares`. Each member once, and no others.";

    private const string ProtectionShape =
        "Send application/json with any of `require_dpop`, `require` and `transaction_tokens`. Each member once, and "
            + "no others.";

    private const string DeclarationsShape =
        "Send application/json with `declares`, a list of tools. Each member once, and no others.";

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/servers", ListAsync);
        api.MapPost("/servers", AddAsync);
        api.MapPut("/servers/{name}/protection", ProtectAsync);
        api.MapPut("/servers/{name}/declarations", DeclareAsync);
        api.MapDelete("/servers/{name}", RemoveAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext http, ServerBook servers, HostedServers hosts)
    {
        var bodies = new List<ServerBody>();
        foreach (var server in servers.All(http.Tenant.Id))
        {
            bodies.Add(Body(server, servers) with { Hosted = await HostedEndpoint.ReportAsync(server, hosts) });
        }

        return Results.Json(new ServerList(bodies), ApiJson.Default.ServerList);
    }

    private static async Task<IResult> AddAsync(
        HttpContext http,
        ServerBook servers,
        ServerVetting vetting,
        GrantBook grants,
        CancellationToken stop)
    {
        if (await StrictBody.ReadAsync(http, ApiJson.Default.NewServer) is not { } asked)
        {
            return Problem.Bad(Shape);
        }

        if (await vetting.RefuseAsync(asked, http.Tenant, stop) is { } problem)
        {
            return problem;
        }

        // A removal that was cut off, or a consent page that was open meanwhile, may have left grants of that name.
        if (servers.Find(http.Tenant.Id, asked.Name) is null)
        {
            await EndGrantsAsync(http, grants, http.Tenant.Address($"/mcp/{asked.Name}"));
        }

        var tools = asked.Tools ?? new Dictionary<string, string>();
        var server = new ServerSettings(
            asked.Name,
            asked.Title,
            asked.Url,
            tools,
            asked.RequireDpop,
            asked.Require,
            asked.TransactionTokens,
            asked.Token,
            asked.Declares);
        if (!await servers.AddAsync(http.Tenant.Id, server, By.Admin(http, AuditKinds.ServerAdded))
            || servers.Find(http.Tenant.Id, asked.Name) is not { } added)
        {
            return new Problem(
                StatusCodes.Status409Conflict,
                $"`{asked.Name}` is taken, or there are as many servers as there may be "
                    + $"({http.Tenant.MostServers}). Choose another name, or remove one first.");
        }

        http.Response.Headers.Location = http.Tenant.Address($"/api/servers/{added.Name}");
        return Results.Json(Body(added, servers), ApiJson.Default.ServerBody, statusCode: StatusCodes.Status201Created);
    }

    // Grants stand: what callers must show from now on is looked at with their next request.
    private static async Task<IResult> ProtectAsync(
        HttpContext http, string name, ServerBook servers, ServerVetting vetting)
    {
        if (Missing(http, name, servers, "Change it in postern.yaml and start again.") is { } missing)
        {
            return missing;
        }

        if (await StrictBody.ReadAsync(http, ApiJson.Default.Protection) is not { } asked)
        {
            return Problem.Bad(ProtectionShape);
        }

        if (vetting.RefuseProtection(asked.Require, asked.TransactionTokens, http.Tenant) is { } problem)
        {
            return problem;
        }

        var by = By.Admin(http, AuditKinds.AdminChanged) with { Action = "server protection" };
        await servers.ChangeAsync(
            http.Tenant.Id,
            name,
            server => server with
            {
                RequireDpop = asked.RequireDpop,
                Require = asked.Require,
                TransactionTokens = asked.TransactionTokens,
            },
            by);
        return servers.Find(http.Tenant.Id, name) is { } changed
            ? Results.Json(Body(changed, servers), ApiJson.Default.ServerBody)
            : None;
    }

    // Grants stand here, too: what is not said any more cannot be kept, so calls that need it are refused.
    private static async Task<IResult> DeclareAsync(HttpContext http, string name, ServerBook servers)
    {
        if (Missing(http, name, servers, "Change it in postern.yaml and start again.") is { } missing)
        {
            return missing;
        }

        if (await StrictBody.ReadAsync(http, ApiJson.Default.DeclarationsBody) is not { Declares: { } declares })
        {
            return Problem.Bad(DeclarationsShape);
        }

        if (ServerVetting.RefuseDeclarations(declares) is { } problem)
        {
            return problem;
        }

        var by = By.Admin(http, AuditKinds.AdminChanged) with { Action = "server declarations" };
        await servers.ChangeAsync(http.Tenant.Id, name, server => server with { Declares = declares }, by);
        return servers.Find(http.Tenant.Id, name) is { } changed
            ? Results.Json(Body(changed, servers), ApiJson.Default.ServerBody)
            : None;
    }

    private static async Task<IResult> RemoveAsync(HttpContext http, string name, ServerBook servers, GrantBook grants)
    {
        if (Missing(http, name, servers, "Take it out of postern.yaml (the demo with `demo: false`) and start again.")
            is { } missing)
        {
            return missing;
        }

        var server = servers.Find(http.Tenant.Id, name)!;

        // The server goes last: a removal that is cut off can be asked for again, and leaves no living grant behind.
        await EndGrantsAsync(http, grants, server.Resource.Value);
        await servers.RemoveAsync(http.Tenant.Id, name, By.Admin(http, AuditKinds.ServerRemoved));
        return Results.NoContent();
    }

    private static Problem None => new(
        StatusCodes.Status404NotFound, "There is no server of that name. `postern server list` shows them all.");

    // What is not there to be changed here; null for a server that the API added.
    private static Problem? Missing(HttpContext http, string name, ServerBook servers, string advice) =>
        !ServerSeed.IsName(name) || servers.Find(http.Tenant.Id, name) is not { } server ? None
        : Origin(server) is Added ? null
        : new(StatusCodes.Status409Conflict, $"`{name}` stands in the configuration. {advice}");

    private static Task EndGrantsAsync(HttpContext http, GrantBook grants, string resource) => grants.RevokeAllAsync(
        http.Tenant.Id,
        new GrantsOf.Server(
            Resource.TryParse(resource, out var parsed) ? parsed : throw new UnreachableException()),
        By.Admin(http, AuditKinds.GrantRevoked) with { Reason = "its server was removed" });

    // The address without its query, where some services want a key.
    private static ServerBody Body(McpServer server, ServerBook servers) => new(
        server.Name,
        server.Title,
        Word(server.Kind),
        server.Resource.Value,
        server.Url?.GetLeftPart(UriPartial.Path),
        Origin(server),
        servers.Catalogue(server)?.Tools.Count,
        RulesOf(server.Token))
    {
        RequireDpop = server.RequiresDpop,
        Require = server.Demands.Seed,
        TransactionTokens = server.TakesTransactionTokens,
        Declares = server.Declares.Seeds is [] ? null : server.Declares.Seeds,
    };

    private static TokenRules? RulesOf(TokenForm form) => form == TokenForm.Usual
        ? null
        : new(
            form.Life is { } life ? Durations.Format(life) : null,
            form.IsOpaque ? "opaque" : "jwt",
            form.HasStatus);

    private static string Origin(McpServer server) => server switch
    {
        { IsConfigured: true } => "configuration",
        { Kind: ServerKind.Native } => "demo",
        _ => Added,
    };

    private static string Word(ServerKind kind) => kind switch
    {
        ServerKind.Http => "http",
        ServerKind.Command => "command",
        _ => "built in",
    };
}
