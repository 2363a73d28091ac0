using Postern.Grants;
using Postern.Platform.Database;

namespace Postern.Tests.Grants;

/// <summary>What was handed back stays in memory exactly as long as it must.</summary>
public sealed class RevokedTokensTests
{
    [Fact]
    public async Task A_token_heard_of_is_forgotten_when_no_token_of_its_time_can_live()
    {
        await using var server = await TestServer.StartAsync();
        var revoked = server.Get<RevokedTokens>();
        await AnnounceAsync(server, "token", "first");
        Assert.True(revoked.Has(TenantId.Default, "first"));

        server.Clock.Advance(TimeSpan.FromHours(2));
        await AnnounceAsync(server, "token", "second");

        Assert.False(revoked.Has(TenantId.Default, "first"));
        Assert.True(revoked.Has(TenantId.Default, "second"));
    }

    [Fact]
    public async Task What_was_missed_is_read_again_until_the_database_answers()
    {
        await using var server = await TestServer.StartAsync();
        var expires = server.Clock.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds();
        await server.Db.WriteAsync(async unit =>
        {
            await unit.RunAsync(
                $"""
                insert into revoked_tokens (tenant, token_id, expires_at)
                values ({TenantId.Default.Value}, {"missed"}, {expires})
                """);
            await unit.RunAsync($"alter table revoked_tokens rename to away");
        });
        await AnnounceAsync(server, Changes.Everything, "");
        await Eventually.TrueAsync(
            () => server.Log.All.Any(line => line.Contains("revoked tokens", StringComparison.Ordinal)));

        await server.Db.WriteAsync(async unit => await unit.RunAsync($"alter table away rename to revoked_tokens"));

        await Eventually.TrueAsync(() => server.Get<RevokedTokens>().Has(TenantId.Default, "missed"));
    }

    private static Task AnnounceAsync(TestServer server, string kind, string key) => server.Db.WriteAsync(unit =>
    {
        unit.Announce(kind, TenantId.Default, key);
        return ValueTask.CompletedTask;
    });
}
