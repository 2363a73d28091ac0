using System.Text.Json;
using Postern.Api;

namespace Postern.Tests.OAuth.Input;

/// <summary>What operators and their tools ask: who is let in, and the lists.</summary>
internal static partial class Tables
{
    private const string Asking = "Origin";

    private static readonly (string Name, Func<InputTown, Task<Attempt>> Make)[] Administration =
    [
        ("GET /api/status", town => ListedAsync(town, "/api/status")),
        ("GET /api/servers", town => ListedAsync(town, "/api/servers")),
        ("GET /api/agents", town => ListedAsync(town, "/api/agents")),
        ("GET /api/organizations", town => ListedAsync(town, "/api/organizations")),
        ("GET /api/identity-providers", town => ListedAsync(town, "/api/identity-providers")),
        ("GET /api/switches", town => ListedAsync(town, "/api/switches")),
        ("GET /api/tenants", town => ListedAsync(town, "/api/tenants")),
        ("GET /api/audit", town => ListedAsync(town, "/api/audit", ("after", "3"), ("limit", "5"))),
        ("GET /api/clients", ClientsAsync),
        ("GET /api/grants", GrantsAsync),
        ("DELETE /api/grants/{id}", EndGrantAsync),
        ("POST /api/revoke", EndAsync),
        ("POST /api/keys", RotateAsync),
        ("POST /api/agents", AddAgentAsync),
        ("GET /api/agents/{id}", town => Task.FromResult(OfAgent(town, HttpMethod.Get, town.Agent))),
        ("DELETE /api/agents/{id}", RemoveAgentAsync),
        ("POST /api/organizations", AddOrganizationAsync),
        ("POST /api/organizations/{id}/members", JoinAsync),
        ("POST /api/switches", SwitchAsync),
        ("POST /api/tenants", AddTenantAsync),
        ("DELETE /api/tenants/{name}", RemoveTenantAsync),
        ("POST /api/tenants/{name}/setup", OfferSetupAsync),
        ("POST /api/servers", AddServerAsync),
        ("PUT /api/servers/{name}/protection", ProtectAsync),
        ("PUT /api/servers/{name}/declarations", DeclareAsync),
        ("PUT /api/servers/{name}/declarations, members of a tool", DeclareToolAsync),
        ("DELETE /api/servers/{name}", RemoveServerAsync),
        ("GET /api/servers/{name}/log", town => Task.FromResult(OfCommand(town, HttpMethod.Get, "/log"))),
        ("POST /api/servers/{name}/restart", town => Task.FromResult(OfCommand(town, HttpMethod.Post, "/restart"))),
    ];

    /// <summary>A request of an operator, with all that its door reads.</summary>
    /// <param name="town">Where.</param>
    /// <param name="method">The verb.</param>
    /// <param name="path">The address.</param>
    /// <param name="members">Whether what has a small letter is a member of a body, and not of a query.</param>
    /// <param name="fields">What it sends.</param>
    /// <param name="left">What it leaves out.</param>
    private static Attempt ByAdmin(
        InputTown town,
        HttpMethod method,
        string path,
        bool members,
        (string Name, string? Value)[] fields,
        params (string Name, string? Value)[] left) => new(
            [.. fields, (Basic, town.AdminToken)],
            async sent => (await town.TryApiAsync(method, path, sent, members)).Word)
        {
            Left = [.. left, (Asking, town.Server.Issuer)],
            Others = new(members
                ? JsonText.Wrongs(fields.Concat(left).Select(one => one.Name).Where(name => name[0] is not '{'))
                : [])
            {
                [(Basic, Wrong.Long)] = Be("Bearer " + new string('x', 17_000)),
                [(Basic, Wrong.Type)] = Be("Basic " + town.AdminToken[7..]),
                [(Basic, Wrong.Encoding)] = Be($"Bearer {Attempt.NoText}"),
                [(Basic, Wrong.OtherClient)] = Be(App.Basic("watch", App.WatchSecret)),
                [(Basic, Wrong.OtherPurpose)] = async () =>
                    "Bearer " + (await App.Web(town.Server).LetInAsync(town.Ada)).AccessToken,
                [(Asking, Wrong.OtherTenant)] = Be(town.Named.Tenant.Origin),
                [(Asking, Wrong.OtherPurpose)] = Be("null"),
            },
        };

    /// <summary>The same where what was made is taken away again.</summary>
    private static Attempt Undone(Attempt attempt, InputTown town, HttpMethod method, string path) => attempt with
    {
        SendAsync = async sent =>
        {
            var (word, reply) = await town.TryApiAsync(method, path, sent, hasBody: true);
            if (word is Attempt.Good && reply.Headers.Location is { } made)
            {
                await town.AdministerAsync(HttpMethod.Delete, made.AbsolutePath);
            }

            return word;
        },
    };

    private static Task<Attempt> ListedAsync(
        InputTown town, string path, params (string Name, string? Value)[] query) =>
        Task.FromResult(ByAdmin(town, HttpMethod.Get, path, members: false, query));

    private static async Task<Attempt> ClientsAsync(InputTown town)
    {
        var cursors = town.Server.Get<Cursors>();
        var attempt = await ListedAsync(
            town, "/api/clients", ("cursor", cursors.Seal(TenantId.Default, "clients", $"{town.Now} web")));
        attempt.Others[("cursor", Wrong.OtherTenant)] = Be(
            cursors.Seal(town.Acme.Tenant.Id, "clients", $"{town.Now} web"));
        attempt.Others[("cursor", Wrong.OtherPurpose)] = Be(cursors.Seal(TenantId.Default, "grants", "gr_x"));
        return attempt;
    }

    private static async Task<Attempt> GrantsAsync(InputTown town)
    {
        var cursors = town.Server.Get<Cursors>();
        var attempt = await ListedAsync(
            town,
            "/api/grants",
            ("cursor", cursors.Seal(TenantId.Default, "grants", "gr_x")),
            ("limit", "5"));
        attempt.Others[("cursor", Wrong.OtherTenant)] = Be(cursors.Seal(town.Acme.Tenant.Id, "grants", "gr_x"));
        attempt.Others[("cursor", Wrong.OtherPurpose)] = Be(
            cursors.Seal(TenantId.Default, "clients", $"{town.Now} web"));
        return attempt;
    }

    /// <summary>A grant of a person that stands.</summary>
    private static async Task<string> StandingAsync(InputTown town, string email, string at = "")
    {
        var list = await town.AdministerAsync(HttpMethod.Get, at + "/api/grants");
        return list.Json.GetProperty("grants").EnumerateArray()
            .First(grant => grant.TryGetProperty("email", out var whose) && whose.GetString() == email)
            .GetProperty("id").GetString()!;
    }

    private static async Task<string> GrantOfAsync(InputTown town, Person person, string email = Person.Ada)
    {
        await App.Web(town.Server).LetInAsync(person);
        return await StandingAsync(town, email);
    }

    private static async Task<string> GrantOfAcmeAsync(InputTown town)
    {
        await town.TokensOfAcmeAsync();
        return await StandingAsync(town, Person.Ada, town.Acme.Tenant.Path);
    }

    private static async Task<Attempt> EndGrantAsync(InputTown town)
    {
        var attempt = ByAdmin(
            town,
            HttpMethod.Delete,
            "/api/grants/{id}",
            members: false,
            [("{id}", await GrantOfAsync(town, town.Ada))]);
        attempt.Others[("{id}", Wrong.OtherTenant)] = () => GrantOfAcmeAsync(town);
        attempt.Others[("{id}", Wrong.OtherPurpose)] = Be("web");
        attempt.Others[("{id}", Wrong.Replayed)] = async () =>
        {
            var ended = await GrantOfAsync(town, town.Ada);
            await town.AdministerAsync(HttpMethod.Delete, "/api/grants/" + ended);
            return ended;
        };
        return attempt with
        {
            SendAsync = async sent =>
            {
                var (word, reply) = await town.TryApiAsync(HttpMethod.Delete, "/api/grants/{id}", sent, hasBody: false);
                return reply.Text.Contains("\"revoked\":false", StringComparison.Ordinal) ? "nothing ends" : word;
            },
        };
    }

    private static Task<Attempt> EndAsync(InputTown town)
    {
        // One of the three says what is to end.
        var attempt = ByAdmin(
            town,
            HttpMethod.Post,
            "/api/revoke",
            members: true,
            [("user", $"\"{Person.Bob}\"")],
            ("client", "\"site\""),
            ("installation", "\"in_x\""));
        attempt.Others[("user", Wrong.OtherTenant)] = Be("\"nobody@example.test\"");
        return Task.FromResult(attempt);
    }

    // A tenant of its own, so that no key of another grows old by it.
    private static Task<Attempt> RotateAsync(InputTown town) => Task.FromResult(
        ByAdmin(town, HttpMethod.Post, "/t/spare/api/keys", members: true, [("now", "false")]));

    private static string Text(string value) => JsonSerializer.Serialize(value);
}
