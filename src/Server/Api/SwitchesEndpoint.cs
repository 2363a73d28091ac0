using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Identity.Sessions;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>Switches clients, people, agents, organizations and identity providers off and on.</summary>
internal static class SwitchesEndpoint
{
    private const int MaxReason = 200;

    private const string Shape =
        "Send application/json with `kind` (client, user, agent, organization or identity_provider), `id`, `off` (true "
        + "or false) and, if you like, `reason` (at most 200 characters) and `revoke` (true to end its grants for "
        + "good). Each member once, and no others.";

    private static readonly Problem NotThere = new(
        StatusCodes.Status404NotFound, "There is nobody of that kind and name here.");

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/switches", ListAsync);
        api.MapPost("/switches", TurnAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext http, SwitchStore switches, CancellationToken stop) =>
        Results.Json(
            new SwitchList(
            [
                .. (await switches.AllAsync(http.Tenant.Id, stop)).Select(off => new SwitchBody(
                    off.Party.Word, off.Party.Id, off.Since, off.By, off.Reason)),
            ]),
            ApiJson.Default.SwitchList);

    private static async Task<IResult> TurnAsync(
        HttpContext http,
        KnownParties known,
        Switches switches,
        Dismissal dismissal,
        TimeProvider clock,
        CancellationToken stop)
    {
        var began = clock.GetTimestamp();
        if (await StrictBody.ReadAsync(http, ApiJson.Default.SwitchToTurn) is not { } asked
            || Party.KindOf(asked.Kind) is not { } kind
            || asked.Reason is { Length: > MaxReason }
            || asked.Reason?.Any(char.IsControl) is true // a NUL would not pass the database
            || (asked.Revoke && !asked.Off))
        {
            return Problem.Bad(Shape);
        }

        if (await known.FindAsync(http.Tenant.Id, kind, asked.Id, stop) is not { } party)
        {
            return NotThere;
        }

        var isChanged = asked.Off
            ? await switches.TurnOffAsync(party, By.Name, asked.Reason, Entry(http, party, AuditKinds.SwitchedOff))
            : await switches.TurnOnAsync(party, Entry(http, party, AuditKinds.SwitchedOn));
        var ended = asked.Revoke
            ? await dismissal.EndAsync(party.Tenant, GrantsOf.Of(party), Entry(http, party, AuditKinds.GrantAllRevoked))
            : new(0, 0);
        var took = Math.Round(clock.GetElapsedTime(began).TotalMilliseconds, 1);
        return Results.Json(
            new SwitchTurned(party.Word, party.Id, asked.Off, isChanged, ended.Grants, took),
            ApiJson.Default.SwitchTurned);
    }

    /// <summary>How the log tells of something that concerns a party.</summary>
    public static AuditEntry Entry(HttpContext http, Party party, string kind)
    {
        var entry = By.Admin(http, kind) with { Action = party.Word };
        return party.Kind switch
        {
            PartyKind.User => entry with { User = new(party.Id) },
            PartyKind.Client => entry with { Client = new(party.Id) },
            PartyKind.Agent => entry with { Agent = party.Id },
            _ => entry with { Resource = party.Id },
        };
    }
}
