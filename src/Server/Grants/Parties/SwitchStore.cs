using System.Data.Common;
using Postern.Platform.Database;

namespace Postern.Grants.Parties;

/// <summary>A switch that is off.</summary>
/// <param name="Party">Whose.</param>
/// <param name="Since">When it was turned.</param>
/// <param name="By">Who did.</param>
/// <param name="Reason">Why, in an operator's words.</param>
internal sealed record SwitchedOff(Party Party, DateTimeOffset Since, string By, string? Reason);

/// <summary>
/// The only place that reads and writes the table <c>switched_off</c>. What is not there is on: nothing that exists
/// has to be written down to work.
/// </summary>
internal sealed class SwitchStore(Db db)
{
    /// <summary>Every switch that is off, of all tenants or of one.</summary>
    public Task<List<SwitchedOff>> AllAsync(TenantId? tenant, CancellationToken stop) => db.AllAsync(
        $"""
        select tenant, kind, id, since, by_whom, reason from switched_off
        where tenant = {tenant?.Value ?? ""} or {tenant is null} order by since desc, kind, id
        """,
        Read,
        stop);

    /// <summary>Those who belong to an organization that is off.</summary>
    public Task<List<SwitchedOff>> MembersAsync(CancellationToken stop) => db.AllAsync(
        $"""
        select m.tenant, m.kind, m.id, s.since, s.by_whom, s.reason from organization_members m
        join switched_off s on s.tenant = m.tenant and s.kind = {"organization"} and s.id = m.organization
        """,
        Read,
        stop);

    /// <summary>Turns a switch off; false when it is off already.</summary>
    public static async ValueTask<bool> AddAsync(Unit unit, SwitchedOff off) => await unit.RunAsync(
        $"""
        insert into switched_off (tenant, kind, id, since, by_whom, reason)
        values ({off.Party.Tenant.Value}, {off.Party.Word}, {off.Party.Id}, {off.Since.ToUnixTimeSeconds()},
          {off.By}, {off.Reason})
        on conflict do nothing
        """) is 1;

    /// <summary>Turns a switch on; false when it was not off.</summary>
    public static async ValueTask<bool> RemoveAsync(Unit unit, Party party) => await unit.RunAsync(
        $"""
        delete from switched_off
        where tenant = {party.Tenant.Value} and kind = {party.Word} and id = {party.Id}
        """) is 1;

    private static SwitchedOff Read(DbDataReader row) => new(
        new(
            new(row.GetString(0)),
            Party.KindOf(row.GetString(1)) ?? throw new InvalidDataException("A stored switch is of no kind."),
            row.GetString(2)),
        DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(3)),
        row.GetString(4),
        row.IsDBNull(5) ? null : row.GetString(5));
}
