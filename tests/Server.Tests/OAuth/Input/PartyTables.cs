namespace Postern.Tests.OAuth.Input;

/// <summary>Agents, organizations, switches and tenants, as an operator makes and ends them.</summary>
internal static partial class Tables
{
    private static Task<Attempt> AddAgentAsync(InputTown town)
    {
        (string Name, string? Value)[] fields =
        [
            ("name", "\"Robot\""),
            ("owner", $"\"{Person.Ada}\""),
            ("purpose", "\"to be tried\""),
            ("ends", "\"2030-06-30\""),
            ("organization", "\"house0\""),
            ("jwks", Text(WalkTown.Keys.Jwks)),
            ("scope", "\"mcp:read\""),
            ("servers", """["echo"]"""),
            ("clients", """["another"]"""),
        ];
        var attempt = ByAdmin(town, HttpMethod.Post, "/api/agents", members: true, fields);
        var others = attempt.Others;
        others[("owner", Wrong.OtherTenant)] = Be("\"nobody@example.test\"");
        others[("ends", Wrong.Expired)] = Be("\"2020-06-30\"");
        others[("organization", Wrong.OtherTenant)] = Be($"\"house{town.Acme.Tenant.Path.Length}\"");
        others[("jwks", Wrong.OtherPurpose)] = Be(Text("""{"keys":[{"kty":"oct","k":"AAAA"}]}"""));
        others[("scope", Wrong.OtherPurpose)] = Be("\"openid\"");
        others[("clients", Wrong.OtherClient)] = Be("""["robot"]""");
        return Task.FromResult(Undone(attempt, town, HttpMethod.Post, "/api/agents"));
    }

    private static Attempt OfAgent(InputTown town, HttpMethod method, string agent)
    {
        var attempt = ByAdmin(town, method, "/api/agents/{id}", members: false, [("{id}", agent)]);
        attempt.Others[("{id}", Wrong.OtherTenant)] = Be(town.AgentOfAcme);
        attempt.Others[("{id}", Wrong.OtherPurpose)] = Be("robot");
        return attempt;
    }

    private static async Task<Attempt> RemoveAgentAsync(InputTown town)
    {
        var attempt = OfAgent(town, HttpMethod.Delete, await town.AddAgentAsync("", NewName()));
        attempt.Others[("{id}", Wrong.Replayed)] = async () =>
        {
            var agent = await town.AddAgentAsync("", NewName());
            await town.AdministerAsync(HttpMethod.Delete, "/api/agents/" + agent);
            return agent;
        };
        return attempt;
    }

    private static Task<Attempt> AddOrganizationAsync(InputTown town)
    {
        var attempt = ByAdmin(
            town,
            HttpMethod.Post,
            "/api/organizations",
            members: true,
            [("id", null), ("name", "\"A house\"")]);
        attempt.Others[("id", Wrong.Replayed)] = Be("\"house0\"");
        return Task.FromResult(attempt with { Made = new() { ["id"] = () => $"\"{NewName()}\"" } });
    }

    private static string NewName() => "n" + Guid.NewGuid().ToString("N")[..20];

    private static Task<Attempt> JoinAsync(InputTown town)
    {
        var attempt = ByAdmin(
            town,
            HttpMethod.Post,
            "/api/organizations/{id}/members",
            members: true,
            [("{id}", "house0"), ("kind", "\"agent\""), ("id", $"\"{town.Agent}\""), ("leaves", "false")]);
        attempt.Others[("{id}", Wrong.OtherTenant)] = Be($"house{town.Acme.Tenant.Path.Length}");
        attempt.Others[("{id}", Wrong.OtherPurpose)] = Be(town.Agent);
        attempt.Others[("kind", Wrong.OtherPurpose)] = Be("\"client\"");
        attempt.Others[("id", Wrong.OtherTenant)] = Be($"\"{town.AgentOfAcme}\"");
        attempt.Others[("id", Wrong.OtherPurpose)] = Be("\"robot\"");
        return Task.FromResult(attempt);
    }

    private static Task<Attempt> SwitchAsync(InputTown town)
    {
        var attempt = ByAdmin(
            town,
            HttpMethod.Post,
            "/api/switches",
            members: true,
            [
                ("kind", "\"agent\""), ("id", $"\"{town.Agent}\""), ("off", "true"), ("reason", "\"tried\""),
                ("revoke", "true"),
            ]);
        attempt.Others[("kind", Wrong.OtherPurpose)] = Be("\"user\"");
        attempt.Others[("id", Wrong.OtherTenant)] = Be($"\"{town.AgentOfAcme}\"");
        attempt.Others[("id", Wrong.OtherPurpose)] = Be("\"robot\"");
        return Task.FromResult(attempt with
        {
            SendAsync = async sent =>
            {
                var (word, _) = await town.TryApiAsync(HttpMethod.Post, "/api/switches", sent, hasBody: true);
                await town.AdministerAsync(
                    HttpMethod.Post,
                    "/api/switches",
                    ("kind", "\"agent\""),
                    ("id", $"\"{town.Agent}\""),
                    ("off", "false"));
                return word;
            },
        });
    }

    private static Task<Attempt> AddTenantAsync(InputTown town)
    {
        var attempt = ByAdmin(
            town,
            HttpMethod.Post,
            "/api/tenants",
            members: true,
            [
                ("name", null),
                ("host", $"\"new.localhost:{town.Server.Http.BaseAddress!.Port}\""),
                ("access_lifetime", "\"5m\""),
                ("refresh_idle", "\"1d\""),
                ("refresh_absolute", "\"30d\""),
                ("servers", "5"),
                ("clients", "5"),
            ]);
        attempt.Others[("name", Wrong.OtherTenant)] = Be("\"acme\"");
        attempt.Others[("host", Wrong.OtherTenant)] = Be($"\"{town.Named.Tenant.Authority}\"");
        attempt.Others[("host", Wrong.OtherPurpose)] = Be("\"elsewhere.example\"");
        return Task.FromResult(Undone(attempt, town, HttpMethod.Post, "/api/tenants") with
        {
            Made = new() { ["name"] = () => $"\"{NewName()}\"" },
        });
    }

    private static async Task<string> NewTenantAsync(InputTown town)
    {
        var name = NewName();
        await town.AdministerAsync(HttpMethod.Post, "/api/tenants", ("name", $"\"{name}\""));
        return name;
    }

    private static async Task<Attempt> RemoveTenantAsync(InputTown town)
    {
        var attempt = ByAdmin(
            town, HttpMethod.Delete, "/api/tenants/{name}", members: false, [("{name}", await NewTenantAsync(town))]);
        attempt.Others[("{name}", Wrong.OtherPurpose)] = Be("default");
        attempt.Others[("{name}", Wrong.Replayed)] = async () =>
        {
            var name = await NewTenantAsync(town);
            await town.AdministerAsync(HttpMethod.Delete, "/api/tenants/" + name);
            return name;
        };
        return attempt;
    }

    private static Task<Attempt> OfferSetupAsync(InputTown town)
    {
        var attempt = ByAdmin(
            town, HttpMethod.Post, "/api/tenants/{name}/setup", members: false, [("{name}", "spare")]);
        // Somebody runs it already.
        attempt.Others[("{name}", Wrong.Replayed)] = Be("acme");
        return Task.FromResult(attempt);
    }
}
