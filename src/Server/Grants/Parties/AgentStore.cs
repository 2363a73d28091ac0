using System.Data.Common;
using Postern.Platform.Database;

namespace Postern.Grants.Parties;

/// <summary>
/// The only place that writes the tables <c>agents</c> and <c>agent_clients</c>; <see cref="GrantLists"/> reads the
/// second where it looks for the grants of an agent. Of <c>users</c>, which belongs to people's own room, it reads
/// whether there is an owner.
/// </summary>
internal sealed class AgentStore(Db db)
{
    public async Task<List<Agent>> AllAsync(CancellationToken stop)
    {
        var clients = (await db.AllAsync(
            $"select tenant, agent_id, client_id from agent_clients order by client_id",
            row => Tuple.Create((row.GetString(0), row.GetString(1)), new ClientId(row.GetString(2))),
            stop)).ToLookup(link => link.Item1, link => link.Item2);
        return await db.AllAsync(
            $"""
            select a.*, m.organization, exists (
              select 1 from users u where u.tenant = a.tenant and u.id = a.owner) as has_owner
            from agents a
            left join organization_members m on m.tenant = a.tenant and m.kind = {"agent"} and m.id = a.id
            order by a.created_at, a.id
            """,
            row => Read(row, clients),
            stop);
    }

    public static async ValueTask<long> CountAsync(Unit unit, TenantId tenant) => (await unit.AllAsync(
        $"select count(*) from agents where tenant = {tenant.Value}", row => row.GetInt64(0)))[0];

    /// <summary>Whether one of these clients is another agent's already.</summary>
    public static async ValueTask<bool> IsTakenAsync(Unit unit, Agent agent)
    {
        foreach (var client in agent.Clients)
        {
            if (await unit.FirstAsync(
                $"""
                select agent_id from agent_clients
                where tenant = {agent.Tenant.Value} and client_id = {client.Value} and agent_id <> {agent.Id}
                """,
                row => row.GetString(0)) is not null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Writes an agent, in the place of what was known by its name; false when a client became another's since it was
    /// asked, and the unit is to be taken back.
    /// </summary>
    public static async ValueTask<bool> SaveAsync(Unit unit, Agent agent)
    {
        await unit.RunAsync(
            $"""
            insert into agents
              (tenant, id, name, owner, purpose, ends_at, jwks, scope, servers, is_configured, created_at)
            values ({agent.Tenant.Value}, {agent.Id}, {agent.Name}, {agent.Owner.Value}, {agent.Purpose},
              {agent.EndsAt.ToUnixTimeSeconds()}, {agent.Jwks}, {agent.Scope?.ToString()},
              {string.Join(' ', agent.Servers)}, {agent.IsConfigured}, {agent.CreatedAt.ToUnixTimeSeconds()})
            on conflict (tenant, id) do update set name = excluded.name, owner = excluded.owner,
              purpose = excluded.purpose, ends_at = excluded.ends_at, jwks = excluded.jwks, scope = excluded.scope,
              servers = excluded.servers
            """);
        await unit.RunAsync(
            $"delete from agent_clients where tenant = {agent.Tenant.Value} and agent_id = {agent.Id}");
        foreach (var client in agent.Clients)
        {
            if (await unit.RunAsync(
                $"""
                insert into agent_clients (tenant, client_id, agent_id)
                values ({agent.Tenant.Value}, {client.Value}, {agent.Id}) on conflict do nothing
                """) is 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Takes an agent out; false when it is not there.</summary>
    public static async ValueTask<bool> RemoveAsync(Unit unit, Agent agent)
    {
        await unit.RunAsync(
            $"delete from agent_clients where tenant = {agent.Tenant.Value} and agent_id = {agent.Id}");
        return await unit.RunAsync(
            $"delete from agents where tenant = {agent.Tenant.Value} and id = {agent.Id}") is 1;
    }

    private static Agent Read(DbDataReader row, ILookup<(string, string), ClientId> clients)
    {
        var (tenant, id) = (Text(row, "tenant")!, Text(row, "id")!);
        return new()
        {
            Tenant = new(tenant),
            Id = id,
            Name = Text(row, "name")!,
            Owner = new(Text(row, "owner")!),
            HasOwner = row.GetBoolean(row.GetOrdinal("has_owner")),
            Organization = Text(row, "organization"),
            Purpose = Text(row, "purpose")!,
            EndsAt = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(row.GetOrdinal("ends_at"))),
            Jwks = Text(row, "jwks"),
            Scope = Text(row, "scope") is { } scope
                ? Scopes.TryParse(scope, out var scopes)
                    ? scopes : throw new InvalidDataException("Stored scopes are none.")
                : null,
            Servers = Text(row, "servers")!.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            Clients = [.. clients[(tenant, id)]],
            IsConfigured = row.GetBoolean(row.GetOrdinal("is_configured")),
            CreatedAt = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(row.GetOrdinal("created_at"))),
        };
    }

    private static string? Text(DbDataReader row, string column) =>
        row.GetOrdinal(column) is var at && row.IsDBNull(at) ? null : row.GetString(at);
}
