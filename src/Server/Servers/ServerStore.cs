using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Platform.Configuration;
using Postern.Platform.Database;

namespace Postern.Servers;

/// <summary>The servers that the API added, as they are kept.</summary>
internal sealed partial class ServerStore(Db db, TimeProvider clock)
{
    public const string Kind = "server";

    public Task<List<Row>> ReadAsync(CancellationToken stop) => db.AllAsync(
        $"select tenant, name, settings, created_at from servers limit {(long)ServerBook.Most}",
        row => new Row(new(row.GetString(0)), row.GetString(1), row.GetString(2), row.GetInt64(3)),
        stop);

    /// <summary>False when the name is taken.</summary>
    public async ValueTask<bool> InsertAsync(Unit unit, TenantId tenant, ServerSettings server)
    {
        var text = JsonSerializer.Serialize(server, ServersJson.Default.ServerSettings);
        var rows = await unit.RunAsync(
            $"""
            insert into servers (tenant, name, settings, created_at)
            values ({tenant.Value}, {server.Name}, {text}, {clock.GetUtcNow().ToUnixTimeSeconds()})
            on conflict do nothing
            """);
        return rows is 1;
    }

    /// <summary>What is kept of one at this point of a transaction; null when it is gone.</summary>
    public static async ValueTask<ServerSettings?> FindAsync(Unit unit, TenantId tenant, string name) =>
        await unit.FirstAsync(
            $"select settings from servers where tenant = {tenant.Value} and name = {name}",
            row => row.GetString(0)) is { } text ? Parse(text) : null;

    public static async ValueTask UpdateAsync(Unit unit, TenantId tenant, ServerSettings server)
    {
        var text = JsonSerializer.Serialize(server, ServersJson.Default.ServerSettings);
        await unit.RunAsync(
            $"update servers set settings = {text} where tenant = {tenant.Value} and name = {server.Name}");
    }

    /// <summary>False when there is none of that name.</summary>
    public static async ValueTask<bool> DeleteAsync(Unit unit, TenantId tenant, string name) =>
        await unit.RunAsync($"delete from servers where tenant = {tenant.Value} and name = {name}") is 1;

    /// <summary>
    /// Whether the server is there at this point of a transaction. Its name may have been given to another meanwhile.
    /// </summary>
    public static async ValueTask<bool> IsThereAsync(Unit unit, McpServer server)
    {
        if (server.IsConfigured || server.Kind is ServerKind.Native)
        {
            return true;
        }

        return await FindAsync(unit, server.Tenant, server.Name) is { } kept && new Uri(kept.Url) == server.Url;
    }

    private static ServerSettings Parse(string text) =>
        JsonSerializer.Deserialize(text, ServersJson.Default.ServerSettings)!;

    internal sealed record Row(TenantId Tenant, string Name, string Text, long CreatedAt)
    {
        public (TenantId, string) Key => (Tenant, Name);

        public ServerSettings Settings => Parse(Text);
    }

    [JsonSerializable(typeof(ServerSettings))]
    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    private sealed partial class ServersJson : JsonSerializerContext;
}

/// <summary>
/// A remote server as the API takes and keeps it. Local commands are named in the configuration only: they run here.
/// </summary>
internal sealed record ServerSettings(
    string Name,
    string? Title,
    string Url,
    IReadOnlyDictionary<string, string> Tools,
    bool RequireDpop = false,
    RequireSeed? Require = null,
    bool TransactionTokens = false,
    TokenRules? Token = null,
    IReadOnlyList<DeclarationSeed>? Declares = null);
