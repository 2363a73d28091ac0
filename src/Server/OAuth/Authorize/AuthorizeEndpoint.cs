using System.Diagnostics;
using Microsoft.Extensions.Primitives;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;
using Postern.Platform;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Authorize;

/// <summary>
/// OAuth 2.1 §4.1: a client asks to be let in. The request is checked once and sealed; from then on the browser comes
/// back here after every step, and <see cref="NextStep"/> says what is left to do.
/// </summary>
internal sealed class AuthorizeEndpoint(
    ClientBook clients,
    Arrivals arrivals,
    Proposer proposer,
    Proposals proposals,
    Situations situations,
    AuthorizeAnswers answers,
    Browser browser,
    Codes codes,
    Once once,
    TimeProvider clock)
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

    private async Task<IResult> BeginAsync(
        HttpContext http, IEnumerable<KeyValuePair<string, StringValues>> parameters) =>
        await arrivals.ReadAsync(http, parameters) switch
        {
            Arrival.Known known => await BeginAsync(http, parameters, known),
            Arrival.Refused { Back: var back, Error: var error } =>
                Refused(http.Tenant, back.Client, back.Way, error),
            Arrival.Shown { Error: var error } => AuthorizePages.Shown(error),
            _ => throw new UnreachableException(),
        };

    private async Task<IResult> BeginAsync(
        HttpContext http, IEnumerable<KeyValuePair<string, StringValues>> parameters, Arrival.Known known)
    {
        var (client, way) = (known.Back.Client, known.Back.Way);
        if (proposer.Check(http.Tenant, known).Failed(out var error, out var valid))
        {
            return Refused(http.Tenant, client, way, error);
        }

        if (HttpMethods.IsPost(http.Request.Method))
        {
            return AsLink(parameters);
        }

        return (await proposer.ProposeAsync(http, known, valid)).Failed(out error, out var proposal)
            ? Refused(http.Tenant, client, way, error)
            : await NextAsync(http, client, proposal, browser.Ensure(http), isSilent: valid.Prompt is ["none"]);
    }

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

    // RFC 9700 §4.11.2: for a client nobody vouches for, a person sees where the way leads before it is taken.
    private IResult Refused(Tenant tenant, Client client, ReturnWay way, OAuthError error)
    {
        var answer = answers.Error(tenant, way, error);
        return client.IsVouchedFor ? answer.ToHttp() : answer.Shown(error);
    }
}
