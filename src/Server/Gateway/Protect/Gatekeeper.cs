using Postern.AspNetCore;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Challenges;
using Postern.Gateway.Inspect;
using Postern.Gateway.Relay;
using Postern.Grants;
using Postern.Platform.Tenants;
using Postern.Policy;
using Postern.Servers;

namespace Postern.Gateway.Protect;

/// <summary>A request whose token is good here, and the grant behind it, which stands.</summary>
internal sealed record Admission(McpServer Server, AccessToken Token, Grant Grant)
{
    /// <summary>All that was granted; <see cref="Grant"/> reaches no further than the token says.</summary>
    public Grant Whole { get; init; } = Grant;

    /// <summary>
    /// The grants with which calls and money are counted: from where the chain of delegation begins to
    /// <see cref="Whole"/>. Empty when nothing is.
    /// </summary>
    public IReadOnlyList<Grant> Chain { get; init; } = [];

    /// <summary>
    /// The types of details that were limited anywhere in <see cref="Chain"/>; all of them when it cannot be followed.
    /// </summary>
    public IReadOnlyCollection<string> Limited => Whole.Details is null ? []
        : Chain is [] ? [.. Details.Types]
        : field ??= Details.TypesOf(Chain.Select(grant => grant.Details));

    public Principal Caller { get; } = new(Grant.Tenant, Grant.Subject, Grant.Client, Grant.Id);
}

/// <summary>Checks the token of every request, whatever its verb, and writes the challenges.</summary>
internal sealed partial class Gatekeeper(
    ServerBook servers,
    OwnTokens tokens,
    GrantBook grants,
    Catalogues catalogues,
    TimeProvider clock,
    ILogger<Gatekeeper> logger)
{
    // Of our own range: the protocol has no code for it.
    private const int OutsideGrantCode = 403;

    /// <summary>What a model is told of a refusal: what is missing, and who can give it.</summary>
    public static RpcError Refusal(Admission admission, Verdict.No no) => no switch
    {
        { SignIn: null } => new(
            OutsideGrantCode,
            $"Not allowed: {no.Over?.Words ?? no.Because}. Nothing was done. "
                + "Ask the person to connect again and to allow it.",
            StatusCodes.Status403Forbidden)
        {
            Data = no.Over?.ToJson(),
        },
        _ when admission.Grant.IsOwn => new(
            OutsideGrantCode,
            $"Not allowed: {no.Because}. Nothing was done. Come with the token of a person who lets you in.",
            StatusCodes.Status403Forbidden),
        _ => new(
            StatusCodes.Status401Unauthorized,
            $"Not allowed yet: {no.Because}. Nothing was done. Connect again, so that they are asked to sign in.",
            StatusCodes.Status401Unauthorized),
    };

    /// <summary>
    /// What a model is told when the grant ended under a call: nobody knows how far the server had come.
    /// </summary>
    public static readonly RpcError CutShort = new(
        StatusCodes.Status401Unauthorized,
        "Stopped: the grant or its token ended while this ran. It may have been carried out in part. "
        + "Ask the person to connect again.",
        StatusCodes.Status401Unauthorized);

    /// <summary>Null when the request has been answered already.</summary>
    public async ValueTask<Admission?> AdmitAsync(HttpContext http)
    {
        if (!FrontGate.Admits(http))
        {
            return null;
        }

        if (servers.Find(http.Tenant.Id, (string)http.Request.RouteValues["server"]!) is not { } server)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            http.Response.ContentType = "text/plain; charset=utf-8";
            await http.Response.WriteAsync("There is no MCP server of that name here.\n", http.RequestAborted);
            return null;
        }

        // A server's resource is the address that its clients send to.
        var url = server.Resource.Value;
        var outcome = await tokens.JudgeAsync(
            http, http.Tenant, url, url, server.RequiresDpop, server.RequiresCertificate);
        return outcome is AccessToken token
            ? await WithGrantAsync(http, server, token)
            : Challenge(http, server, outcome as TokenRefusal);
    }

    /// <summary>
    /// All the operation needs in one challenge, and for the model a sentence that it can act on: 403 for what was not
    /// agreed to, 401 for a person who must sign in again (RFC 9470 §3). Who acts as itself can do nothing about that.
    /// </summary>
    public static ValueTask RefuseAsync(
        HttpContext http, Admission admission, Verdict.No no, ReadOnlySpan<byte> id = default)
    {
        var (refusal, metadata) = (Refusal(admission, no), MetadataOf(http, admission.Server));
        if (no.SignIn is null)
        {
            BearerChallenge.InsufficientScope(no.Needs.ToString(), metadata).WriteTo(http.Response);
        }
        else if (!admission.Grant.IsOwn)
        {
            BearerChallenge
                .InsufficientUserAuthentication(
                    no.SignIn, metadata, no.Needs.ToString(), isDpop: admission.Token.KeyThumbprint is not null)
                .WriteTo(http.Response);
        }

        http.Response.StatusCode = refusal.Status;
        return WriteAsync(http, refusal.ToJson(id));
    }

    private static async ValueTask WriteAsync(HttpContext http, byte[] json)
    {
        http.Response.ContentType = "application/json";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.ContentLength = json.Length;
        await http.Response.Body.WriteAsync(json, http.RequestAborted);
    }

    /// <summary>401: the client must get a new token before it asks again.</summary>
    public void Challenge(HttpContext http, McpServer server) => _ = Challenge(http, server, refusal: null);

    private async ValueTask<Admission?> WithGrantAsync(HttpContext http, McpServer server, AccessToken token)
    {
        if (await tokens.GrantAsync(server.Tenant, token, http.RequestAborted) is not { } grant)
        {
            Log.Ended(logger, token.Id);
            // It went between the validator's look at it and ours.
            return Challenge(http, server, null);
        }

        var admission = new Admission(server, token, TokenReach.Of(grant, token))
        {
            Whole = grant,
            Chain = grant.Details is null ? [] : await ChainAsync(grant, http.RequestAborted),
        };
        if (Unmet(server.Demands.Everywhere, grant, clock.GetUtcNow()) is { } demand)
        {
            Log.Weak(logger, token.Id);
            await RefuseAsync(http, admission, Permit.SignInRefusal(grant, servers.Scopes(server), demand));
            return null;
        }

        grants.NoteUse(grant);
        return admission;
    }

    /// <summary>A demand that the sign-in behind a grant does not meet; null when it meets it.</summary>
    public static SignInDemand? Unmet(SignInDemand? demand, Grant grant, DateTimeOffset now) =>
        demand?.IsMetBy(grant.Acr, grant.AuthTime, now) is false ? demand : null;

    // Whatever was passed on from a grant counts with it.
    private async ValueTask<IReadOnlyList<Grant>> ChainAsync(Grant grant, CancellationToken stop)
    {
        var chain = new List<Grant> { grant };
        while (chain[0].Parent is { } parent && chain.Count <= Delegation.MaxActors)
        {
            if (await grants.FindAsync(grant.Tenant, parent, stop) is not { } from)
            {
                return [];
            }

            chain.Insert(0, from);
        }

        return chain;
    }

    private Admission? Challenge(HttpContext http, McpServer server, TokenRefusal? refusal)
    {
        if (refusal is not null)
        {
            Log.Refused(logger, refusal.Code, refusal.Reason);
        }

        if (servers.Catalogue(server) is null)
        {
            // The client will send a person to the consent page, which wants to show them.
            catalogues.Refresh(server);
        }

        BearerChallenge.For(refusal, MetadataOf(http, server), servers.Scopes(server).ToString())
            .WriteTo(http.Response);
        return null;
    }

    // RFC 9728 §3.1: the well-known part stands between the host and the path of the resource.
    private static string MetadataOf(HttpContext http, McpServer server) =>
        http.Tenant.Origin + MetadataEndpoint.Path + http.Tenant.Path + server.Path;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "A token was refused with {Code}: {Reason}")]
        public static partial void Refused(ILogger logger, string code, string reason);

        [LoggerMessage(LogLevel.Information, "Token {Token} was refused: its person must sign in again")]
        public static partial void Weak(ILogger logger, string token);

        [LoggerMessage(LogLevel.Information, "Token {Token} was refused: its grant is gone")]
        public static partial void Ended(ILogger logger, string token);
    }
}
