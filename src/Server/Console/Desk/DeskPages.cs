using System.Globalization;
using Postern.Audit;
using Postern.Console.Me;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Hosting.Processes;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.Console.Desk;

/// <summary>Gathers what the pages for operators show.</summary>
internal sealed class DeskPages(
    TenantBook tenants,
    ServerBook servers,
    HostedServers hosts,
    ClientBook clients,
    ClientStore stored,
    GrantBook grants,
    AgentBook agents,
    Switches switches,
    UserStore users,
    AuditLog audit)
{
    /// <summary>Entries on the first view.</summary>
    private const int Latest = 10;

    public async Task<IResult> OverviewAsync(Caller caller, CancellationToken stop)
    {
        var last = await audit.LastAsync(caller.Tenant, stop);
        return new PageResult<OverviewPage, OverviewView>(new()
        {
            Person = caller.Email,
            Issuer = tenants[caller.Tenant].Issuer,
            Servers = [.. servers.All(caller.Tenant).Select(Row)],
            Entries = await EntriesAsync(caller.Tenant, last + 1, Latest, stop),
        });
    }

    public async Task<IResult> ClientsAsync(Caller caller, string? from, CancellationToken stop)
    {
        var before = Before(from);
        var found = await stored.AllAsync(caller.Tenant, before, DeskView.Page + 1, stop);
        var page = found.Take(DeskView.Page).ToList();
        var rows = new List<ClientRow>();
        // Those that the configuration names are few, and stand before those that came by themselves.
        foreach (var client in before is null ? clients.Configured(caller.Tenant).Concat(page) : page)
        {
            rows.Add(Row(client, await grants.OfClientAsync(caller.Tenant, client.Id, stop)));
        }

        return new PageResult<ClientsPage, ClientsView>(new()
        {
            Person = caller.Email,
            Clients = rows,
            IsFurther = before is not null,
            Next = found.Count > page.Count ? Place(page[^1]) : null,
        });
    }

    public async Task<IResult> AgentsAsync(Caller caller, string? from, CancellationToken stop)
    {
        var begin = int.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        var all = agents.All(caller.Tenant);
        var rows = new List<AgentRow>();
        foreach (var agent in all.Skip(begin).Take(DeskView.Page))
        {
            rows.Add(new(
                agent.Id,
                agent.Name,
                (await users.FindAsync(caller.Tenant, agent.Owner, stop))?.Email,
                agent.Purpose,
                string.Join(", ", agent.Clients.Where(client => client.Value != agent.Id)),
                agent.EndsAt,
                switches.WhyOff(agent)));
        }

        return new PageResult<AgentsPage, AgentsView>(new()
        {
            Person = caller.Email,
            Agents = rows,
            IsFurther = begin > 0,
            Next = all.Count - begin > DeskView.Page
                ? (begin + DeskView.Page).ToString(CultureInfo.InvariantCulture)
                : null,
        });
    }

    private static string Place(Client client) =>
        string.Create(CultureInfo.InvariantCulture, $"{client.FirstSeen!.Value.ToUnixTimeSeconds()}.{client.Id}");

    private static (DateTimeOffset Since, ClientId Id)? Before(string? place) =>
        place?.Split('.', 2) is [{ Length: <= 11 } since, var id]
        && long.TryParse(since, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? (DateTimeOffset.FromUnixTimeSeconds(seconds), new(id))
            : null;

    public async Task<IResult> GrantsAsync(Caller caller, string? from, CancellationToken stop)
    {
        var found = await grants.AllAsync(caller.Tenant, from, DeskView.Page + 1, stop);
        var page = found.Take(DeskView.Page).ToList();
        var people = new Dictionary<SubjectId, string?>();
        foreach (var subject in page.Where(use => !use.Grant.IsOwn).Select(use => use.Grant.Subject).Distinct())
        {
            people[subject] = (await users.FindAsync(caller.Tenant, subject, stop))?.Email;
        }

        return new PageResult<GrantsPage, GrantsView>(new()
        {
            Person = caller.Email,
            Grants = [.. page.Select(use => Row(use, people.GetValueOrDefault(use.Grant.Subject)))],
            IsFurther = from is not null,
            Next = found.Count > page.Count ? page[^1].Grant.Id.Value : null,
        });
    }

    public async Task<IResult> LogAsync(Caller caller, string? from, CancellationToken stop)
    {
        var isFurther = long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        var end = isFurther ? number : await audit.LastAsync(caller.Tenant, stop) + 1;
        return new PageResult<LogPage, LogView>(new()
        {
            Person = caller.Email,
            Entries = await EntriesAsync(caller.Tenant, end, DeskView.Page, stop),
            IsFurther = isFurther,
            Next = end > DeskView.Page ? (end - DeskView.Page).ToString(CultureInfo.InvariantCulture) : null,
        });
    }

    // Numbers have no gaps, so those below one are a range.
    private async Task<IReadOnlyList<EntryRow>> EntriesAsync(
        TenantId tenant, long end, int most, CancellationToken stop)
    {
        var count = (int)Math.Min(end, most);
        return [.. (await audit.AfterAsync(tenant, end - count - 1, count, stop)).AsEnumerable().Reverse().Select(Row)];
    }

    private ServerRow Row(McpServer server) => new(
        server.Title, server.Resource.Value, Word(server), servers.Catalogue(server)?.Tools.Count);

    private static ClientRow Row(Client client, ClientUse use) => new(
        client.Id.Value,
        client.Name,
        client.Source switch
        {
            ClientSource.Configured => "by the configuration",
            ClientSource.Document => "by its metadata document",
            _ => "by itself",
        },
        client.Id.IsDocument ? Untrusted.Host(new(client.Id.Value)) : null,
        client.FirstSeen,
        use.LastGrant,
        use.Alive.ToString(CultureInfo.InvariantCulture) + (use.IsMore ? " of the newest" : ""));

    private GrantRow Row(GrantUse use, string? person)
    {
        var grant = use.Grant;
        return new(
            grant.IsOwn ? "itself" : person ?? grant.Subject.Value,
            new(
                grant.ClientName,
                grant.Client.IsDocument ? Untrusted.Host(new(grant.Client.Value)) : null,
                Proof.Remembered,
                null,
                grant.InstallationName),
            GrantSentence.Of(grant, servers.ByResource(grant.Tenant, grant.Resource)),
            grant.CreatedAt,
            use.UsedAt,
            grant.ExpiresAt,
            IsBound: use.IsBound,
            IsOfCopy: use.IsOfCopy);
    }

    private static EntryRow Row(AuditRow row)
    {
        var record = LogRecord.Of(row);
        return new(
            row.Seq,
            record.At,
            row.Subject?.Value ?? record.Client ?? "",
            row.Kind,
            record.Tool ?? record.Resource,
            record.Effect ?? record.Status ?? "");
    }

    private string Word(McpServer server) => server.Kind switch
    {
        ServerKind.Http => "remote",
        ServerKind.Command => $"command, {hosts.StateOf(server.Tenant, server.Name)}",
        _ => "built in",
    };
}
