using System.Diagnostics;
using System.Text.Json;
using Postern.Audit;
using Postern.Gateway.Inspect;
using Postern.Gateway.Relay;
using Postern.Grants.Parties;
using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Policy;
using Postern.Servers;

namespace Postern.Gateway.Protect;

/// <summary>
/// Puts a tool call to policy. What the caller may not call and could not ask for is as if it were not there.
/// </summary>
internal sealed class ToolGate(
    Catalogues catalogues,
    ServerBook servers,
    AgentBook agents,
    AuditLog audit,
    Ledger ledger,
    Settings settings,
    TimeProvider clock)
{
    /// <summary>The verdict, or null for a tool that is not there, or is hidden from the caller.</summary>
    public async ValueTask<Verdict?> AskAsync(HttpContext http, Admission admission, string name, Message call)
    {
        var server = admission.Server;
        var tool = await catalogues.FindAsync(server, name, http.RequestAborted);
        if (tool is null && servers.Catalogue(server) is { Tools.Count: > 0 })
        {
            await RecordUnknownAsync(http, admission);
            return null;
        }

        Telemetry.NameCall(server.Name, name);

        // A server that does not say what it has is taken for the worst.
        var risk = server.Risks.TryGetValue(name, out var named) ? named : tool?.Risk ?? Risk.Destroy;
        var question = new Question(admission.Grant, server.Resource, name, risk, tool?.Hash, admission.Token.Id)
        {
            Agent = AgentOf(admission),
            Network = SourceNetwork.Of(http),
            TraceParent = Activity.Current?.Id,
            Unmet = Gatekeeper.Unmet(server.Demands.For(name, risk), admission.Whole, clock.GetUtcNow()),
            Arguments = admission.Grant.Details is null ? default : ArgumentsOf(call),
            Declared = server.Declares.For(name),
            Chain = admission.Chain,
            Limited = admission.Limited,
        };
        var verdict = await Permit.AskAsync(audit, ledger, settings, question);
        if (verdict is Verdict.Yes || IsForTheAsking(admission, name, risk))
        {
            return verdict;
        }

        // A name that is not known is looked for at the server; the time it takes must not tell the two apart.
        await catalogues.RefreshAsync(server).WaitAsync(http.RequestAborted);
        return null;
    }

    /// <summary>
    /// The headers that mirror arguments, made from the body. The error is the client's, who sent what disagrees; what
    /// no schema declares goes nowhere.
    /// </summary>
    public RpcError? MirroredHeaders(
        HttpContext http, Admission admission, Message call, Era era,
        out IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        var mirrored = catalogues.HeadersOf(admission.Server, call.Text(Agreement.NamePart(call))!);
        headers = [];
        if (mirrored.IsEmpty)
        {
            return null;
        }

        var arguments = ArgumentsOf(call);
        headers = [.. mirrored.For(arguments)];
        return era is Era.Modern ? mirrored.Disagreement(arguments, http.Request.Headers) : null;
    }

    private static JsonElement ArgumentsOf(Message call) =>
        call.At("params"u8, "arguments"u8) is { IsMissing: false } part
            ? JsonElement.Parse(call.Bytes.Span.Slice(part.Start, part.Length))
            : JsonElement.Parse("{}");

    /// <summary>
    /// Records how a call that was allowed ended. Nobody waits for it: that there was a call is durable since before
    /// it. What it cost is given back only when it certainly never left; who is not sure keeps it.
    /// </summary>
    public async ValueTask CloseAsync(Permit permit, string status, TimeSpan took, Departure departure)
    {
        var outcome = OutcomeOf(permit, status, took);
        if (departure.Happened || permit.Sums is [])
        {
            audit.WriteSoon(outcome);
            return;
        }

        try
        {
            await ledger.GiveBackAsync(
                permit, outcome with { Reason = "it never left, and what it would have cost is given back" });
        }
        catch (DatabaseUnavailableException)
        {
            audit.WriteSoon(outcome);
        }
    }

    private static AuditEntry OutcomeOf(Permit permit, string status, TimeSpan took) => new()
    {
        Tenant = permit.Question.Grant.Tenant,
        Kind = AuditKinds.ToolCallOutcome,
        Action = Methods.ToolsCall,
        Client = permit.Question.Grant.Client,
        Resource = permit.Question.Resource.Value,
        Tool = permit.Question.Tool,
        IntentRef = permit.Entry,
        Status = status,
        DurationMs = (long)took.TotalMilliseconds,
    };

    /// <summary>Records that a caller looked at the tools that its grant lets it see.</summary>
    public void RecordList(HttpContext http, Admission admission, string status) =>
        audit.WriteSoon(Entry(http, admission) with
        {
            Kind = AuditKinds.ToolList,
            Action = Methods.ToolsList,
            Effect = "allow",
            Status = status,
        });

    // To be told what is missing is to be told that there is such a tool. So that is for those who can act on it and
    // learn nothing new: a person's consent page shows the tools of the server, with what was left off before; and a
    // token of fewer scopes than its grant can be had again with all. A client that acts as itself has what its
    // operator registered, and nobody to ask: beyond its grant there is nothing (T117).
    private static bool IsForTheAsking(Admission admission, string name, Risk risk) =>
        !admission.Grant.IsOwn || admission.Whole.Allows(name, risk);

    // The name is the caller's invention and stays out of the log.
    private Task<string> RecordUnknownAsync(HttpContext http, Admission admission) =>
        audit.WriteAsync(Entry(http, admission) with
        {
            Effect = "deny",
            Reason = "the server offers no such tool",
        });

    private string? AgentOf(Admission admission) => agents.Of(admission.Grant.Tenant, admission.Grant.Client)?.Id;

    private AuditEntry Entry(HttpContext http, Admission admission) => new()
    {
        Tenant = admission.Grant.Tenant,
        Kind = AuditKinds.ToolCallDecision,
        Action = Methods.ToolsCall,
        User = admission.Grant.IsOwn ? null : admission.Grant.Subject,
        Client = admission.Grant.Client,
        Agent = AgentOf(admission),
        Resource = admission.Server.Resource.Value,
        Grant = admission.Grant,
        TokenId = admission.Token.Id,
        Network = SourceNetwork.Of(http),
        TraceParent = Activity.Current?.Id,
    };
}
