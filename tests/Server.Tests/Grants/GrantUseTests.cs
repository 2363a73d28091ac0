using System.Security.Cryptography;
using Postern.Grants;

namespace Postern.Tests.Grants;

/// <summary>When a grant was last used is written down in batches, and none is left out.</summary>
public sealed class GrantUseTests
{
    [Fact]
    public async Task Every_use_is_noted_however_many_there_are()
    {
        const int many = 2500;
        await using var server = await TestServer.StartAsync();
        var grants = Enumerable.Range(0, many).Select(_ => Made(server)).ToList();
        await server.Db.WriteAsync(async unit =>
        {
            foreach (var grant in grants)
            {
                await GrantBook.AddAsync(unit, grant);
            }
        });

        grants.ForEach(server.Get<GrantBook>().NoteUse);
        await server.StopAsync();

        await using var again = await TestServer.StartAsync(like: server);
        var noted = await again.Db.AllAsync(
            $"select id from grants where used_at is not null", row => row.GetString(0), default);
        Assert.Equal(many, noted.Count);
    }

    private static Grant Made(TestServer server) => new()
    {
        Id = GrantId.New(server.Clock.GetUtcNow(), server.Get<RandomNumberGenerator>()),
        Tenant = TenantId.Default,
        Subject = new("u_1"),
        IsOwn = false,
        Client = new("c_1"),
        ClientName = "Test",
        Resource = Resource.TryParse($"{server.Issuer}/mcp/notes", out var resource)
            ? resource : throw new InvalidOperationException(),
        Scopes = Scopes.Of(Scopes.Read),
        CreatedAt = server.Clock.GetUtcNow(),
        ExpiresAt = server.Clock.GetUtcNow().AddDays(1),
    };
}
