using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Primitives;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;
using Postern.OAuth.Requests;
using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Keys;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.OAuth.Authorize;

/// <summary>
/// OAuth 2.1 §4.1: a client asks to be let in. The request is checked once and sealed; from then on the browser comes
/// back here after every step, and <see cref="NextStep"/> says what is left to do.
/// </summary>
internal sealed class AuthorizeEndpoint(
    ClientBook clients,
    ServerBook servers,
    PushedRequests pushed,
    RequestObjects objects,
    AuthorizeAnswers answers,
    Settings settings,
    Proposals proposals,
    Browser browser,
    Situations situations,
    SigningKeys keys,
    Codes codes,
    Once once,
    TimeProvider clock,
    RandomNumberGenerator random)
{
    private const string Transaction = "transaction";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/authorize", (HttpContext http, AuthorizeEndpoint authorize) =>
            http.Request.Query.ContainsKey(Transaction)
                ? authorize.GoOnAsync(http)
                : authorize.BeginAsync(http, http.Request.Query)).Open();
        routes.MapPost("/authorize", async (HttpContext http, AuthorizeEndpoint authorize, CancellationToken stop) =>
            (await Form.ReadAsync(http.Request, stop)).Failed(out var error, out var form)
                ? AuthorizePages.Shown(error)
                : await authorize.BeginAsync(http, form.All)).Open();
    }

    private async Task<IResult> BeginAsync(HttpContext http, IEnumerable<KeyValuePair<string, StringValues>> parameters)
    {
        if (AuthorizeRequest.Parse(parameters).Failed(out var error, out var sent))
        {
            return AuthorizePages.Shown(error);
        }

        if (sent.ClientId is not { } id)
        {
            return AuthorizePages.Shown(OAuthError.InvalidRequest("The request does not say which app is asking."));
        }

        var (network, stop) = (SourceNetwork.Of(http), http.RequestAborted);
        if ((await clients.FindAsync(http.Tenant.Id, id, network, stop)).Failed(out error, out var client)
            || (await UnfoldAsync(http, client, sent)).Failed(out error, out var request))
        {
            // What is beside an object that cannot be believed says at most whom to tell.
            return client is not null && sent.RequestObject is not null
                && !ReturnAddress.Prove(sent, client, http.Tenant.Issuer).Failed(out _, out var outer)
                ? Refused(http.Tenant, client, outer.Way, error)
                : AuthorizePages.Shown(error);
        }

        if (ReturnAddress.Prove(request, client, http.Tenant.Issuer).Failed(out error, out var back))
        {
            return AuthorizePages.Shown(error);
        }

        if (request.Pushed is null && (client.RequiresPush || settings.RequiresPush))
        {
            return Refused(
                http.Tenant, client, back.Way, OAuthError.InvalidRequest("The app must push its request (RFC 9126)."));
        }

        var server = servers.Meant(http.Tenant.Id, request.Resource);
        var offered = server is null ? Scopes.None : servers.Scopes(server);
        if (ValidAuthorizeRequest.Check(request, client, server, offered).Failed(out error, out var valid))
        {
            return Refused(http.Tenant, client, back.Way, error);
        }

        if (HttpMethods.IsPost(http.Request.Method))
        {
            return AsLink(parameters);
        }

        return (await WhoAsync(http.Tenant, client, request, valid)).Failed(out error, out var who)
            ? Refused(http.Tenant, client, back.Way, error)
            : await NextAsync(
                http,
                client,
                Propose(http, back, valid, request.Pushed) with { Who = who.Subject },
                browser.Ensure(http),
                isSilent: valid.Prompt is ["none"]);
    }

    // Whom the client means, if it says so: by an ID token it has, or by name.
    private async ValueTask<Result<Meant>> WhoAsync(
        Tenant tenant, Client client, AuthorizeRequest request, ValidAuthorizeRequest valid)
    {
        if (request.IdTokenHint is not { } text)
        {
            return new Meant(valid.Claims.Subject);
        }

        return await IdTokenHint.ReadAsync(tenant, keys, text) is { } hint && hint.Client == client.Id.Value
            && (valid.Claims.Subject is null || valid.Claims.Subject == hint.Subject)
            ? new Meant(hint.Subject)
            : OAuthError.InvalidRequest("id_token_hint is no ID token that this client has from here.");
    }

    // Another reference than ours is refused when it is known whom to tell.
    private async ValueTask<Result<AuthorizeRequest>> UnfoldAsync(
        HttpContext http, Client client, AuthorizeRequest sent) =>
        sent switch
        {
            { RequestUri: { } uri } when uri.StartsWith(PushedRequests.Prefix, StringComparison.Ordinal) =>
                await pushed.OpenAsync(http.Tenant, client, sent, http.RequestAborted),
            // RFC 9101 §5: one or the other.
            { RequestObject: { } text, RequestUri: null } =>
                await objects.ReadAsync(http.Tenant, client, text, http.RequestAborted),
            _ => sent,
        };

    // With a form that another site sends, a browser keeps our cookies to itself (SameSite), so it would look like one
    // never seen: a new cookie would cut off what it has waiting in another tab, and its person would seem signed out.
    // As a link the same request comes with the cookies.
    private static SeeOther AsLink(IEnumerable<KeyValuePair<string, StringValues>> parameters) =>
        new("/authorize" + QueryString.Create(
            parameters.Where(parameter => AuthorizeRequest.Names.Contains(parameter.Key))));

    private async Task<IResult> GoOnAsync(HttpContext http)
    {
        var holder = Browser.Known(http);
        if (http.Request.Query[Transaction] is not [{ } text]
            || proposals.Open(http.Tenant.Id, text, holder) is not { } proposal)
        {
            return AuthorizePages.Over;
        }

        if (proposal.Agreed is Proposal.Denied)
        {
            return answers.Error(http.Tenant, WayOf(proposal), new("access_denied", "The person said no.")).ToHttp();
        }

        if (await situations.IsFetchedAsync(http, proposal))
        {
            return AuthorizePages.Answered;
        }

        return (await clients.FindAsync(
            http.Tenant.Id, proposal.Client, SourceNetwork.Of(http), http.RequestAborted))
            .Failed(out var error, out var client)
            ? AuthorizePages.Shown(error)
            : await NextAsync(http, client, proposal, holder!, isSilent: false);
    }

    private async Task<IResult> NextAsync(
        HttpContext http, Client client, Proposal proposal, string holder, bool isSilent)
    {
        var step = NextStep.Of(await situations.OfAsync(http, proposal, client, isSilent));
        if (step is NextStep.Consent or NextStep.RefuseConsent
            && await situations.RepeatAsync(http, proposal, client) is { } again)
        {
            return !proposal.IsPushed || await IsFirstAsync(http.Tenant, proposal)
                ? Issue(http.Tenant, proposal with { Agreed = proposal.Id }, again)
                : AuthorizePages.Answered;
        }

        var text = Uri.EscapeDataString(proposals.Seal(http.Tenant.Id, proposal, holder));
        return step switch
        {
            NextStep.SignIn => new SeeOther($"/signin?{Transaction}={text}"),
            NextStep.Consent => new SeeOther($"/consent?{Transaction}={text}"),
            NextStep.Issue => Issue(http.Tenant, proposal),
            NextStep.RefuseUnmet => Refused(new(
                "unmet_authentication_requirements", "The person cannot sign in as the request demands.")),
            NextStep.RefuseSignIn => Refused(new("login_required", "The person must sign in.")),
            NextStep.RefuseConsent => Refused(new("consent_required", "The person must be asked.")),
            _ => throw new UnreachableException(),
        };

        IResult Refused(OAuthError error) => this.Refused(http.Tenant, client, WayOf(proposal), error);
    }

    private Task<bool> IsFirstAsync(Tenant tenant, Proposal proposal) =>
        once.TakeAsync(tenant.Id, Proposals.Answered, proposal.Id, clock.GetUtcNow() + Proposals.Memory);

    private IResult Issue(Tenant tenant, Proposal proposal, Repeat? repeat = null) => answers.Code(
        tenant,
        WayOf(proposal),
        codes.Make(
            tenant.Id,
            new(proposal.Agreed!),
            new(proposal.Client),
            proposal.RedirectUri,
            proposal.Challenge,
            proposal.Binding,
            proposal.Nonce,
            repeat)).ToHttp();

    private static ReturnWay WayOf(Proposal proposal) =>
        new(new(proposal.Client), proposal.RedirectUri, proposal.State, proposal.ResponseMode);

    private Proposal Propose(
        HttpContext http, ReturnAddress back, ValidAuthorizeRequest valid, GrantId? pushed)
    {
        return new()
        {
            Id = (pushed ?? GrantId.New(clock.GetUtcNow(), random)).Value,
            Client = back.Client.Id.Value,
            ClientName = back.Client.Name,
            RedirectUri = back.Uri,
            Scope = valid.Scopes.ToString(),
            Resource = valid.Server?.Resource.Value ?? http.Tenant.UserInfo,
            Details = valid.Details,
            IsPushed = pushed is not null,
            Session = http.Features.Get<Caller>()?.Session,
            State = back.Way.State,
            ResponseMode = back.Way.Mode,
            Challenge = valid.Challenge,
            Binding = valid.Binding,
            // Nobody is signed in twice in one browser, so to select an account is to sign in. No time ago is never.
            NeedsFreshSignIn =
                valid.Prompt.Contains("login") || valid.Prompt.Contains("select_account") || valid.MaxAge is 0,
            NeedsConsent = valid.Prompt.Contains("consent"),
            MaxAge = valid.MaxAge,
            AcrValues = valid.AcrValues,
            LoginHint = valid.LoginHint,
            Nonce = valid.Nonce,
            Claims = valid.Claims.Wanted,
            CreatedAt = clock.GetUtcNow().ToUnixTimeSeconds(),
        };
    }

    // RFC 9700 §4.11.2: for a client nobody vouches for, a person sees where the way leads before it is taken.
    private IResult Refused(Tenant tenant, Client client, ReturnWay way, OAuthError error)
    {
        var answer = answers.Error(tenant, way, error);
        return client.IsVouchedFor ? answer.ToHttp() : answer.Shown(error);
    }

    private sealed record Meant(string? Subject);
}
