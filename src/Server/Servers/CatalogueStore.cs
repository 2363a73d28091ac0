using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Audit;
using Postern.Platform.Database;

namespace Postern.Servers;

/// <summary>What servers last said of their tools, as it is kept: a change is noted in the log.</summary>
internal sealed partial class CatalogueStore(Db db, AuditLog audit)
{
    public const string Kind = "catalogue";

    /// <summary>Those of the servers that are known.</summary>
    public async Task<Dictionary<(TenantId, string), ToolCatalogue>> ReadAsync(
        Dictionary<(TenantId, string), McpServer> known, CancellationToken stop)
    {
        var rows = await db.AllAsync(
            $"select tenant, server, tools, seen_at from catalogues limit {(long)ServerBook.Most}",
            row => Tuple.Create(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3)),
            stop);
        return rows.Where(row => known.ContainsKey((new(row.Item1), row.Item2))).ToDictionary(
            row => (new TenantId(row.Item1), row.Item2),
            row => new ToolCatalogue(
                JsonSerializer.Deserialize(row.Item3, CataloguesJson.Default.ToolArray)!,
                DateTimeOffset.FromUnixTimeSeconds(row.Item4)));
    }

    /// <summary>Keeps one. False when its server was removed while it was being asked.</summary>
    public Task<bool> KeepAsync(McpServer server, ToolCatalogue catalogue, bool isFirst)
    {
        var text = JsonSerializer.Serialize([.. catalogue.Tools], CataloguesJson.Default.ToolArray);
        return db.WriteAsync(async unit =>
        {
            if (!await ServerStore.IsThereAsync(unit, server))
            {
                return false;
            }

            await unit.RunAsync(
                $"""
                insert into catalogues (tenant, server, tools, seen_at)
                values ({server.Tenant.Value}, {server.Name}, {text}, {catalogue.SeenAt.ToUnixTimeSeconds()})
                on conflict (tenant, server) do update set tools = excluded.tools, seen_at = excluded.seen_at
                """);
            unit.Announce(Kind, server.Tenant, server.Name);
            audit.Write(unit, new()
            {
                Tenant = server.Tenant,
                Kind = AuditKinds.ToolChanged,
                Resource = server.Resource.Value,
                Reason = isFirst ? "first seen" : "the server describes its tools in another way",
            });
            return true;
        });
    }

    public static async ValueTask ForgetAsync(Unit unit, TenantId tenant, string name) =>
        await unit.RunAsync($"delete from catalogues where tenant = {tenant.Value} and server = {name}");

    [JsonSerializable(typeof(Tool[]))]
    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
    private sealed partial class CataloguesJson : JsonSerializerContext;
}
