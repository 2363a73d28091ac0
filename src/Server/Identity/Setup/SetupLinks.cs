using System.Security.Cryptography;
using Postern.Identity.Users;
using Postern.Platform.Database;

namespace Postern.Identity.Setup;

/// <summary>
/// The link by which the first administrator of a tenant comes in. There is one at a time, made while nobody runs the
/// tenant: at each start for the one at the root, for the others when they are made or when it is asked for. Whoever
/// reads the output holds it, so it is short-lived and good once.
/// </summary>
internal sealed class SetupLinks(Db db, UserStore users, TimeProvider clock, RandomNumberGenerator random)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    /// <summary>A fresh link, or null when somebody runs this tenant already.</summary>
    public async Task<string?> OfferAsync(Tenant tenant, CancellationToken stop)
    {
        if (await users.HasAdminAsync(tenant.Id, stop))
        {
            await db.WriteAsync(unit => ClearAsync(unit, tenant.Id));
            return null;
        }

        var link = Secret.New(random);
        await db.WriteAsync(async unit =>
        {
            await ClearAsync(unit, tenant.Id);
            await unit.RunAsync(
                $"""
                insert into setup_links (tenant, id, expires_at)
                values ({tenant.Id.Value}, {link.Hash()}, {(clock.GetUtcNow() + Lifetime).ToUnixTimeSeconds()})
                """);
        });
        return tenant.Address($"/setup?link={link.Reveal()}");
    }

    public async Task<bool> IsGoodAsync(TenantId tenant, Secret link, CancellationToken stop) =>
        !await users.HasAdminAsync(tenant, stop)
        && await db.FirstAsync(
            $"""
            select id from setup_links where tenant = {tenant.Value} and id = {link.Hash()}
              and expires_at > {clock.GetUtcNow().ToUnixTimeSeconds()}
            """,
            row => row.GetString(0),
            stop) is not null;

    /// <summary>
    /// Spends the link: one statement, so that of two who hold it one comes in. False also when somebody became the
    /// administrator by another way while the page was open.
    /// </summary>
    public async ValueTask<bool> SpendAsync(Unit unit, TenantId tenant, Secret link) =>
        !await UserStore.HasAdminAsync(unit, tenant)
        && await unit.RunAsync(
            $"""
            delete from setup_links where tenant = {tenant.Value} and id = {link.Hash()}
              and expires_at > {clock.GetUtcNow().ToUnixTimeSeconds()}
            """) is 1;

    private static async ValueTask ClearAsync(Unit unit, TenantId tenant) =>
        await unit.RunAsync($"delete from setup_links where tenant = {tenant.Value}");
}
