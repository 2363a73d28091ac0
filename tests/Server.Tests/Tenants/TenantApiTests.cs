using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Postern.Audit;
using Postern.OAuth.Register;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.Tests.Tenants;

/// <summary>The API by which tenants come and go: what it takes, what it refuses, and what each may have.</summary>
public sealed class TenantApiTests : IAsyncLifetime
{
    private TestServer server = null!;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync(App.Town);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_tenant_is_made_listed_and_removed_and_the_log_says_who_did()
    {
        var made = await SendAsync(HttpMethod.Post, "", """
            {"name":"acme","access_lifetime":"5m","refresh_idle":"2d","refresh_absolute":"9d","servers":1,"clients":2}
            """);
        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.Equal($"{server.Issuer}/t/acme", made.Member("issuer"));
        Assert.StartsWith($"{server.Issuer}/t/acme/setup?link=", made.Member("setup"), StringComparison.Ordinal);
        Assert.Equal("5m 2d 9d", string.Join(' ', ((string[])["access_lifetime", "refresh_idle", "refresh_absolute"])
            .Select(made.Member)));

        var listed = (await SendAsync(HttpMethod.Get, "")).Json.GetProperty("tenants").EnumerateArray();
        Assert.Equal(["acme", "default"], listed.Select(tenant => tenant.GetProperty("name").GetString()!));
        var again = await SendAsync(HttpMethod.Post, "/acme/setup");
        Assert.NotEqual(made.Member("setup"), again.Member("setup"));
        var id = server.Get<TenantBook>().Named("acme")!.Id;
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, "/acme")).Status);

        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Delete, "/acme")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Post, "/acme/setup")).Status);
        Assert.Equal(["tenant.added", "tenant.removed"], await KindsAsync(TenantId.Default));
        Assert.Equal(["tenant.added", "tenant.removed"], await KindsAsync(id));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"name":null}""")]
    [InlineData("""{"name":""}""")]
    [InlineData("""{"name":"default"}""")]
    [InlineData("""{"name":"Acme"}""")]
    [InlineData("""{"name":"-acme"}""")]
    [InlineData("""{"name":"a/b"}""")]
    [InlineData("""{"name":"a.b"}""")]
    [InlineData("""{"name":"tn\u0000"}""")]
    [InlineData("""{"name":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}""")]
    [InlineData("""{"name":["acme"]}""")]
    [InlineData("""{"name":"acme","name":"bird"}""")]
    [InlineData("""{"name":"acme","more":1}""")]
    [InlineData("""{"name":"acme","host":"acme.example"}""")]
    [InlineData("""{"name":"acme","host":"Acme.localhost"}""")]
    [InlineData("""{"name":"acme","host":"acme.localhost:80"}""")]
    [InlineData("""{"name":"acme","host":"acme.localhost/"}""")]
    [InlineData("""{"name":"acme","host":"a@acme.localhost"}""")]
    [InlineData("""{"name":"acme","host":"acme.localhost?a"}""")]
    [InlineData("""{"name":"acme","host":""}""")]
    [InlineData("""{"name":"acme","host":" acme.localhost"}""")]
    [InlineData("""{"name":"acme","access_lifetime":"59s"}""")]
    [InlineData("""{"name":"acme","access_lifetime":"2h"}""")]
    [InlineData("""{"name":"acme","access_lifetime":"soon"}""")]
    [InlineData("""{"name":"acme","access_lifetime":600}""")]
    [InlineData("""{"name":"acme","refresh_idle":"1m"}""")]
    [InlineData("""{"name":"acme","refresh_absolute":"731d"}""")]
    [InlineData("""{"name":"acme","servers":-1}""")]
    [InlineData("""{"name":"acme","servers":1001}""")]
    [InlineData("""{"name":"acme","clients":5001}""")]
    public async Task What_cannot_be_a_tenant_is_refused_with_what_was_expected(string body)
    {
        var answer = await SendAsync(HttpMethod.Post, "", body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.NotEmpty(answer.Member("detail")!);
        Assert.Single(server.Get<TenantBook>().All);
    }

    [Fact]
    public async Task A_name_and_a_host_are_one_tenants_and_the_roots_are_its_own()
    {
        var first = await SendAsync(HttpMethod.Post, "", """{"name":"acme","host":"a.localhost"}""");
        Assert.Equal(HttpStatusCode.Created, first.Status);

        foreach (var taken in (string[])["""{"name":"acme"}""", """{"name":"bird","host":"a.localhost"}"""])
        {
            Assert.Equal(HttpStatusCode.Conflict, (await SendAsync(HttpMethod.Post, "", taken)).Status);
        }

        var root = JsonSerializer.Serialize(new { name = "bird", host = new Uri(server.Issuer).Authority });
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(HttpMethod.Post, "", root)).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync(HttpMethod.Delete, "/default")).Status);
        using var anybody = await server.Http.GetAsync(new Uri("/api/tenants", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, anybody.StatusCode);
    }

    [Fact]
    public async Task A_tenant_has_its_own_lifetimes_and_limits()
    {
        using var usual = await Estate.AddAsync(server, "usual");
        await SendAsync(HttpMethod.Post, "", """{"name":"small","access_lifetime":"2m","servers":1,"clients":1}""");
        var small = server.Get<TenantBook>().Named("small")!;
        var by = new AuditEntry { Tenant = small.Id, Kind = AuditKinds.ServerAdded };
        var books = server.Get<ServerBook>();

        Assert.True(await books.AddAsync(small.Id, Wiki("one"), by));
        Assert.False(await books.AddAsync(small.Id, Wiki("two"), by));
        Assert.True(await books.AddAsync(usual.Tenant.Id, Wiki("two"), by with { Tenant = usual.Tenant.Id }));
        Assert.Equal(TimeSpan.FromMinutes(2), small.AccessLifetime);
        Assert.Equal(server.Get<TenantBook>().Default.RefreshIdle, small.RefreshIdle);
    }

    [Fact]
    public async Task A_crowd_of_registrations_at_one_tenant_is_no_crowd_at_another()
    {
        using var acme = await Estate.AddAsync(server, "acme");
        using var bird = await Estate.AddAsync(server, "bird");
        for (var i = 1; i < Registrations.PerHour; i++)
        {
            await acme.RegisterAsync();
        }

        await Assert.ThrowsAsync<KeyNotFoundException>(() => acme.RegisterAsync());
        Assert.NotEmpty(await bird.RegisterAsync());
    }

    private static ServerSettings Wiki(string name) =>
        new(name, null, "https://wiki.example/mcp", new Dictionary<string, string>());

    private async Task<IEnumerable<string>> KindsAsync(TenantId tenant) =>
        (await server.Get<AuditLog>().AfterAsync(tenant, -1, 1000, default))
            .Select(row => row.Kind).Where(kind => kind.StartsWith("tenant.", StringComparison.Ordinal));

    private async Task<Reply> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri($"/api/tenants{path}", UriKind.Relative));
        request.Headers.Authorization = new(
            "Bearer", (await File.ReadAllTextAsync(Path.Combine(server.Folder, "admin.token"))).Trim());
        request.Content = body is null
            ? null
            : new StringContent(body, MediaTypeHeaderValue.Parse("application/json"));
        using var answer = await server.Http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }
}
