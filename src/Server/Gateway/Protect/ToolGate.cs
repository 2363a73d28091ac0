using System.Diagnostics;
using System.Text.Json;
using Postern.Audit;
using Postern.Gateway.Inspect;
using Postern.Gateway.Relay;
using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Policy;
using Postern.Servers;

namespace Postern.Gateway.Protect;

/// <summary>Puts a tool call to policy. A tool that is not there and one that is not shown are refused alike.</summary>
internal sealed class ToolGate(Catalogues catalogues, ServerBook servers, AuditLog audit, Settings settings)
{
    /// <summary>The verdict, or null for a tool that the server does not offer.</summary>
    public async ValueTask<Verdict?> AskAsync(HttpContext http, Admission admission, string name)
    {
        var server = admission.Server;
        var tool = await catalogues.FindAsync(server, name, http.RequestAborted);
        if (tool is null && servers.Catalogue(server) is { Tools.Count: > 0 })
        {
            await RecordUnknownAsync(admission);
            return null;
        }

        Telemetry.NameCall(server.Name, name);

        // A server that does not say what it has is taken for the worst.
        var risk = server.Risks.TryGetValue(name, out var named) ? named : tool?.Risk ?? Risk.Destroy;
        var question = new Question(admission.Grant, server.Resource, name, risk, tool?.Hash, admission.Token.Id)
        {
            Network = SourceNetwork.Of(http),
            TraceParent = Activity.Current?.Id,
        };
        return await Permit.AskAsync(audit, settings, question);
    }

    /// <summary>
    /// The headers that mirror arguments: a modern client's, held against the body, or made for a legacy client. The
    /// error is the client's, who sent what disagrees.
    /// </summary>
    public RpcError? MirroredHeaders(
        HttpContext http, Admission admission, Message call, Era era, out IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        var mirrored = catalogues.HeadersOf(admission.Server, call.Text(Agreement.NamePart(call))!);
        headers = era is Era.Modern ? SentHeaders(http.Request.Headers) : [];
        if (mirrored.IsEmpty)
        {
            return null;
        }

        var part = call.At("params"u8, "arguments"u8);
        using var arguments = JsonDocument.Parse(part.IsMissing ? "{}"u8.ToArray() : call.Bytes.Slice(part.Start, part.Length));
        if (era is Era.Modern)
        {
            return mirrored.Disagreement(arguments.RootElement, http.Request.Headers);
        }

        headers = [.. mirrored.For(arguments.RootElement)];
        return null;
    }

    /// <summary>Records how a call that was allowed ended. Nobody waits for it: that there was a call is durable since before it.</summary>
    public void Close(Permit permit, string status, TimeSpan took) => audit.WriteSoon(new()
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
    });

    // Those that are not known here are passed on as they are: the server may know them.
    private static List<KeyValuePair<string, string>> SentHeaders(IHeaderDictionary sent)
    {
        var found = new List<KeyValuePair<string, string>>();
        foreach (var (name, values) in sent)
        {
            if (name.StartsWith(ParamHeaders.Prefix, StringComparison.OrdinalIgnoreCase) && values is [{ } value])
            {
                found.Add(new(name, value));
            }
        }

        return found;
    }

    // The name is the caller's invention and stays out of the log.
    private Task<string> RecordUnknownAsync(Admission admission) => audit.WriteAsync(new()
    {
        Tenant = admission.Grant.Tenant,
        Kind = AuditKinds.ToolCallDecision,
        Action = Methods.ToolsCall,
        User = admission.Grant.IsOwn ? null : admission.Grant.Subject,
        Client = admission.Grant.Client,
        Resource = admission.Server.Resource.Value,
        Grant = admission.Grant,
        Effect = "deny",
        Reason = "the server offers no such tool",
        TokenId = admission.Token.Id,
    });
}
