using System.Security.Cryptography;
using Postern.Identity.Users;
using Postern.Platform.Configuration;
using Postern.Platform.Database;

namespace Postern.Identity.Setup;

/// <summary>
/// The link by which the first administrator comes in. There is one at a time, made at each start while nobody runs
/// this installation; whoever reads the start's output holds it, so it is short-lived and good once.
/// </summary>
internal sealed class SetupLinks(
    Db db, UserStore users, Settings settings, TimeProvider clock, RandomNumberGenerator random)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    /// <summary>A fresh link, or null when somebody runs this installation already.</summary>
    public async Task<string?> OfferAsync(CancellationToken stop)
    {
        if (await users.HasAdminAsync(TenantId.Default, stop))
        {
            await db.WriteAsync(unit => ClearAsync(unit));
            return null;
        }

        var link = Secret.New(random);
        await db.WriteAsync(async unit =>
        {
            await ClearAsync(unit);
            await unit.RunAsync(
                $"""
                insert into setup_links (tenant, id, expires_at)
                values ({TenantId.Default.Value}, {link.Hash()}, {(clock.GetUtcNow() + Lifetime).ToUnixTimeSeconds()})
                """);
        });
        return settings.Address($"/setup?link={link.Reveal()}");
    }

    public async Task<bool> IsGoodAsync(Secret link, CancellationToken stop) =>
        !await users.HasAdminAsync(TenantId.Default, stop)
        && await db.FirstAsync(
            $"""
            select id from setup_links where tenant = {TenantId.Default.Value} and id = {link.Hash()}
              and expires_at > {clock.GetUtcNow().ToUnixTimeSeconds()}
            """,
            row => row.GetString(0),
            stop) is not null;

    /// <summary>
    /// Spends the link: one statement, so that of two who hold it one comes in. False also when somebody became the
    /// administrator by another way while the page was open.
    /// </summary>
    public async ValueTask<bool> SpendAsync(Unit unit, Secret link) =>
        !await UserStore.HasAdminAsync(unit, TenantId.Default)
        && await unit.RunAsync(
            $"""
            delete from setup_links where tenant = {TenantId.Default.Value} and id = {link.Hash()}
              and expires_at > {clock.GetUtcNow().ToUnixTimeSeconds()}
            """) is 1;

    private static async ValueTask ClearAsync(Unit unit) =>
        await unit.RunAsync($"delete from setup_links where tenant = {TenantId.Default.Value}");
}
