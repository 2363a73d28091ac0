using Postern.Audit;
using Postern.Platform.Database;

namespace Postern.Grants.Parties;

/// <summary>A company inside a tenant.</summary>
/// <param name="Id">Its name in addresses and in the configuration.</param>
/// <param name="Name">What people see.</param>
/// <param name="Members">How many people, agents and issuers belong to it.</param>
internal sealed record Organization(string Id, string Name, long Members);

/// <summary>
/// The only place that writes the tables <c>organizations</c> and <c>organization_members</c>; the stores of agents,
/// switches and grants join the second. Whoever belongs to one is switched off with it; nobody belongs to two.
/// </summary>
internal sealed class Organizations(Db db, AuditLog audit, TimeProvider clock)
{
    /// <summary>Organizations that one tenant may have.</summary>
    public const long Most = 1000;

    public Task<List<Organization>> AllAsync(TenantId tenant, CancellationToken stop) => db.AllAsync(
        $"""
        select o.id, o.name, (
          select count(*) from organization_members m where m.tenant = o.tenant and m.organization = o.id)
        from organizations o where o.tenant = {tenant.Value} order by o.id
        """,
        row => new Organization(row.GetString(0), row.GetString(1), row.GetInt64(2)),
        stop);

    public async Task<bool> HasAsync(TenantId tenant, string id, CancellationToken stop) => await db.FirstAsync(
        $"select id from organizations where tenant = {tenant.Value} and id = {id}",
        row => row.GetString(0),
        stop) is not null;

    /// <summary>Makes one; false when its name is taken, or there are as many as there may be.</summary>
    public Task<bool> AddAsync(TenantId tenant, string id, string name, AuditEntry? entry) => db.WriteAsync(
        async unit =>
        {
            var isNew = await unit.RunAsync(
                $"""
                insert into organizations (tenant, id, name, created_at)
                select {tenant.Value}, {id}, {name}, {clock.GetUtcNow().ToUnixTimeSeconds()}
                where (select count(*) from organizations where tenant = {tenant.Value}) < {Most}
                on conflict do nothing
                """) is 1;
            if (isNew && entry is not null)
            {
                audit.Write(unit, entry);
            }

            return isNew;
        });

    /// <summary>Lets a party belong to an organization, or to none; whatever it belonged to before is over.</summary>
    public static async ValueTask MoveAsync(Unit unit, Party member, string? organization)
    {
        await unit.RunAsync(
            $"""
            delete from organization_members
            where tenant = {member.Tenant.Value} and kind = {member.Word} and id = {member.Id}
            """);
        if (organization is not null)
        {
            await unit.RunAsync(
                $"""
                insert into organization_members (tenant, kind, id, organization)
                values ({member.Tenant.Value}, {member.Word}, {member.Id}, {organization})
                """);
        }

        Switches.NoteMembers(unit, member.Tenant);
    }

    /// <summary>Lets a party belong to this organization, or not any more; false when it does not.</summary>
    public Task<bool> MoveAsync(Party member, string organization, bool leaves, AuditEntry? entry) =>
        db.WriteAsync(async unit =>
        {
            var before = await unit.FirstAsync(
                $"""
                select organization from organization_members
                where tenant = {member.Tenant.Value} and kind = {member.Word} and id = {member.Id}
                """,
                row => row.GetString(0));
            if (leaves && before != organization)
            {
                return false;
            }

            await MoveAsync(unit, member, leaves ? null : organization);
            if (entry is not null)
            {
                audit.Write(unit, entry);
            }

            return true;
        });
}
