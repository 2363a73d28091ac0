using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>One tool as it was when a person agreed.</summary>
/// <param name="Name">By which it is called.</param>
/// <param name="Hash">Its definition at the time.</param>
/// <param name="IsOn">Whether they left it on; null when they were not asked about it.</param>
internal sealed record OfferedTool(string Name, string Hash, bool? IsOn);

/// <summary>
/// The tools of a server when a person last let a copy of a client in there, so that the next question can say what is
/// new since. One row for each copy at each server, replaced in the unit of the agreement.
/// </summary>
internal sealed partial class Offers(Db db)
{
    /// <summary>
    /// The tools by name; null when this copy was never let in there, or before the tools were known.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, OfferedTool>?> LastAsync(
        TenantId tenant, InstallationId installation, Resource resource, CancellationToken stop) =>
        await db.FirstAsync(
            $"""
            select tools from offers
            where tenant = {tenant.Value} and installation = {installation.Value} and resource = {resource.Value}
            """,
            row => row.GetString(0),
            stop) is { } tools
            ? JsonSerializer.Deserialize(tools, OfferJson.Default.OfferedToolArray)!
                .ToDictionary(tool => tool.Name, StringComparer.Ordinal)
            : null;

    public static async ValueTask KeepAsync(Unit unit, Grant grant, IEnumerable<OfferedTool> tools)
    {
        var text = JsonSerializer.Serialize([.. tools], OfferJson.Default.OfferedToolArray);
        await unit.RunAsync(
            $"""
            insert into offers (tenant, installation, resource, tools, agreed_at)
            values ({grant.Tenant.Value}, {grant.Installation?.Value}, {grant.Resource.Value}, {text},
              {grant.CreatedAt.ToUnixTimeSeconds()})
            on conflict (tenant, installation, resource) do update
              set tools = excluded.tools, agreed_at = excluded.agreed_at
            """);
    }

    /// <summary>What was known of a server's tools is not known of the next one under its name.</summary>
    public static async ValueTask ForgetAsync(Unit unit, TenantId tenant, Resource resource) =>
        await unit.RunAsync($"delete from offers where tenant = {tenant.Value} and resource = {resource.Value}");

    [JsonSerializable(typeof(OfferedTool[]))]
    private sealed partial class OfferJson : JsonSerializerContext;
}
