using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;
using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Identity.Users;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>
/// Agents: software with an owner, a purpose and an end. One of the configuration is changed there and not here.
/// </summary>
internal static class AgentsEndpoint
{
    private const int MaxName = 100, MaxPurpose = 300, MaxJwks = 16_000, MostServers = 50, MostClients = 50;

    private const string Shape =
        "Send application/json with `name`, `owner` (a person's e-mail address), `purpose`, `ends` (a day such as "
        + "2027-06-30, not past) and, if you like, `organization`, `jwks` (public signing keys), `scope`, `servers` "
        + "and `clients`. Each member once, and no others.";

    private static readonly Problem NotThere = new(
        StatusCodes.Status404NotFound, "There is no such agent. `postern agent list` shows them all.");

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/agents", ListAsync);
        api.MapPost("/agents", AddAsync);
        api.MapGet("/agents/{id}", ShowAsync);
        api.MapDelete("/agents/{id}", RemoveAsync);
    }

    private static async Task<IResult> ListAsync(
        HttpContext http, AgentBook agents, Switches switches, Names names, CancellationToken stop)
    {
        var all = agents.All(http.Tenant.Id);
        var people = await names.OfAsync(http.Tenant.Id, all.Select(agent => agent.Owner), stop);
        return Results.Json(
            new AgentList([.. all.Select(agent => Body(agent, switches, people))]), ApiJson.Default.AgentList);
    }

    private static async Task<IResult> ShowAsync(
        HttpContext http, string id, AgentBook agents, Switches switches, Names names, CancellationToken stop) =>
        agents.Find(http.Tenant.Id, id) is { } agent
            ? Results.Json(
                Body(agent, switches, await names.OfAsync(http.Tenant.Id, [agent.Owner], stop)),
                ApiJson.Default.AgentBody)
            : NotThere;

    private static async Task<IResult> AddAsync(
        HttpContext http,
        AgentBook agents,
        UserStore users,
        Organizations organizations,
        Switches switches,
        Names names,
        TimeProvider clock,
        RandomNumberGenerator random,
        CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        if (await StrictBody.ReadAsync(http, ApiJson.Default.AgentToAdd) is not { } asked
            || Read(asked, http.Tenant.Id, now, Agent.NewId(now, random)) is not { } agent)
        {
            return Problem.Bad(Shape);
        }

        if (await users.FindByEmailAsync(http.Tenant.Id, asked.Owner, stop) is not { DisabledAt: null } owner)
        {
            return Problem.Bad("`owner` must be the address of a person who has an account here and is not disabled.");
        }

        if (asked.Organization is { } at && !await organizations.HasAsync(http.Tenant.Id, at, stop))
        {
            return Problem.Bad("`organization` must be one of `postern organization list`.");
        }

        if (!await agents.SaveAsync(
            agent with { Owner = owner.Id },
            By.Admin(http, AuditKinds.AgentCreated),
            unit => Organizations.MoveAsync(unit, agent.Party, asked.Organization)))
        {
            return new Problem(
                StatusCodes.Status409Conflict,
                $"One of `clients` is another agent's, or there are {AgentBook.Most} agents.");
        }

        await switches.LoadAsync(stop);
        http.Response.Headers.Location = http.Tenant.Address($"/api/agents/{agent.Id}");
        var made = agents.Find(http.Tenant.Id, agent.Id)!;
        return Results.Json(
            Body(made, switches, await names.OfAsync(http.Tenant.Id, [owner.Id], stop)),
            ApiJson.Default.AgentBody,
            statusCode: StatusCodes.Status201Created);
    }

    // Switched off first, so that nothing is made of it between the end of its grants and its own.
    private static async Task<IResult> RemoveAsync(
        HttpContext http, string id, AgentBook agents, Switches switches, GrantBook grants)
    {
        if (agents.Find(http.Tenant.Id, id) is not { } agent)
        {
            return NotThere;
        }

        if (agent.IsConfigured)
        {
            return new Problem(StatusCodes.Status409Conflict, "It is named in the configuration; take it out there.");
        }

        // What could do nothing as an agent must not come back as a client that is nobody's.
        var clients = switches.WhyOff(agent) is null ? [] : agent.Clients.Where(client => client.Value != id);
        foreach (var party in clients.Select(client => Party.Of(agent.Tenant, client)).Append(agent.Party))
        {
            await switches.TurnOffAsync(
                party, By.Name, null, SwitchesEndpoint.Entry(http, party, AuditKinds.SwitchedOff));
        }

        var because = $"the agent was removed by {By.Name}";
        await grants.RevokeAllAsync(
            agent.Tenant, GrantsOf.Of(agent.Party), By.Admin(http, AuditKinds.GrantRevoked) with { Reason = because });
        return await agents.RemoveAsync(agent, By.Admin(http, AuditKinds.AgentRetired) with { Reason = because })
            ? Results.NoContent()
            : NotThere;
    }

    private static Agent? Read(AgentToAdd asked, TenantId tenant, DateTimeOffset now, string id)
    {
        Scopes? scope = null;
        if (!IsText(asked.Name, MaxName) || !IsText(asked.Purpose, MaxPurpose)
            || asked.Organization?.Any(char.IsControl) is true
            || AgentSeed.ParseDay(asked.Ends) is not DateTimeOffset ends || ends <= now
            || (asked.Scope is not null && !Scopes.TryParse(asked.Scope, out scope))
            || (asked.Jwks is not null && !IsKeys(asked.Jwks))
            || asked.Servers is { Count: > MostServers } || asked.Clients is { Count: > MostClients }
            || asked.Servers?.All(ServerSeed.IsName) is false
            || asked.Clients?.All(client => client.Length is > 0 and <= 2000 && !client.Any(char.IsControl)) is false)
        {
            return null;
        }

        var own = asked.Jwks is null ? Array.Empty<ClientId>() : [new(id)];
        return new()
        {
            Tenant = tenant,
            Id = id,
            Name = asked.Name,
            Owner = default,
            Purpose = asked.Purpose,
            EndsAt = ends,
            Jwks = asked.Jwks,
            Scope = scope,
            Servers = asked.Servers ?? [],
            Clients = [.. own, .. (asked.Clients ?? []).Distinct().Select(client => new ClientId(client))],
            CreatedAt = now,
        };
    }

    private static bool IsText(string text, int most) =>
        text.Length > 0 && text.Length <= most && !text.Any(char.IsControl);

    // Public signing keys and nothing else: a secret does not belong here, and no keys is no way to prove oneself.
    private static bool IsKeys(string jwks)
    {
        try
        {
            return jwks.Length <= MaxJwks
                && new JsonWebKeySet(jwks).Keys is { Count: > 0 } keys
                && keys.All(key => !key.HasPrivateKey && key.Kty is "EC" or "RSA");
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static AgentBody Body(
        Agent agent, Switches switches, IReadOnlyDictionary<SubjectId, string> people) => new(
        agent.Id,
        agent.Name,
        people.GetValueOrDefault(agent.Owner),
        agent.Organization,
        agent.Purpose,
        agent.EndsAt,
        agent.Jwks,
        agent.Scope?.ToString(),
        agent.Servers,
        [.. agent.Clients.Select(client => client.Value)],
        agent.IsConfigured ? "configuration" : "api",
        agent.CreatedAt,
        switches.WhyOff(agent));
}
