using System.Text.Json;
using Postern.Audit;
using Postern.Grants;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Servers;

namespace Postern.Console.Overview;

/// <summary>The operators' first view, for administrators only.</summary>
internal static class OverviewEndpoint
{
    private const int Entries = 50;

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/console", ShowAsync).For(Door.Admin);

    private static async Task<IResult> ShowAsync(
        HttpContext http, Settings settings, ServerBook servers, GrantBook grants, AuditLog audit, CancellationToken stop) =>
        http.Features.Get<Caller>() switch
        {
            null => new SeeOther("/signin?to=console"),
            { IsAdmin: false } => NotYours,
            var caller => new PageResult<OverviewPage, OverviewView>(new()
            {
                Person = caller.Email,
                Issuer = settings.Issuer,
                Servers = [.. servers.All(caller.Tenant).Select(server => Row(server, servers))],
                Grants = [.. (await grants.AllAsync(caller.Tenant, null, stop)).Select(use => Row(use.Grant))],
                Entries = await EntriesAsync(audit, caller.Tenant, stop),
            }),
        };

    private static PageResult<ErrorPage, ErrorView> NotYours => new(new(
        "This page is for administrators",
        "Your account does not run this server.",
        "What you agreed to yourself is on your own page.",
        "/me",
        "Your page"))
    {
        Status = StatusCodes.Status403Forbidden,
    };

    private static ServerRow Row(McpServer server, ServerBook servers) => new(
        server.Title, server.Resource.Value, Word(server.Kind), servers.Catalogue(server)?.Tools.Count);

    private static GrantRow Row(Grant grant) => new(
        grant.Id.Value, grant.Subject.Value, grant.ClientName, grant.Resource.Value, grant.CreatedAt, grant.ExpiresAt);

    private static async Task<IReadOnlyList<EntryRow>> EntriesAsync(AuditLog audit, TenantId tenant, CancellationToken stop)
    {
        var last = await audit.LastAsync(tenant, stop);
        return [.. (await audit.AfterAsync(tenant, last - Entries, Entries, stop)).AsEnumerable().Reverse().Select(Row)];
    }

    private static EntryRow Row(AuditRow row)
    {
        using var record = JsonDocument.Parse(row.Record);
        var root = record.RootElement;
        return new(
            row.Seq,
            root.GetProperty("time").GetDateTimeOffset(),
            row.Subject?.Value ?? Text(root, "actor", "client") ?? "",
            row.Kind,
            Text(root, "object", "tool") ?? Text(root, "object", "resource"),
            Text(root, "decision", "effect") ?? Text(root, "outcome", "status") ?? "");
    }

    private static string? Text(JsonElement root, string group, string name) =>
        root.TryGetProperty(group, out var found) && found.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string Word(ServerKind kind) => kind switch
    {
        ServerKind.Http => "remote",
        ServerKind.Command => "command",
        _ => "built in",
    };
}
