using System.Security.Cryptography;
using Microsoft.Extensions.Primitives;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Pages;
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
    GrantBook grants,
    Codes codes,
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
                ? Shown(error)
                : await authorize.BeginAsync(http, form.All)).Open();
    }

    private async Task<IResult> BeginAsync(HttpContext http, IEnumerable<KeyValuePair<string, StringValues>> parameters)
    {
        if (AuthorizeRequest.Parse(parameters).Failed(out var error, out var sent))
        {
            return Shown(error);
        }

        if (sent.ClientId is not { } id)
        {
            return Shown(OAuthError.InvalidRequest("The request does not say which app is asking."));
        }

        if ((await clients.FindAsync(http.Tenant.Id, id, http.RequestAborted)).Failed(out error, out var client)
            || (await UnfoldAsync(http, client, sent)).Failed(out error, out var request))
        {
            // What is beside an object that cannot be believed says at most whom to tell.
            return client is not null && sent.RequestObject is not null
                && !ReturnAddress.Prove(sent, client, http.Tenant.Issuer).Failed(out _, out var outer)
                ? Refused(http.Tenant, outer, error)
                : Shown(error);
        }

        if (ReturnAddress.Prove(request, client, http.Tenant.Issuer).Failed(out error, out var back))
        {
            return Shown(error);
        }

        if (request.Pushed is null && (client.RequiresPush || settings.RequiresPush))
        {
            return Refused(http.Tenant, back, OAuthError.InvalidRequest("The app must push its request (RFC 9126)."));
        }

        var server = servers.Meant(http.Tenant.Id, request.Resource);
        var offered = server is null ? Scopes.None : servers.Scopes(server);
        if (ValidAuthorizeRequest.Check(request, client, server, offered).Failed(out error, out var valid))
        {
            return Refused(http.Tenant, back, error);
        }

        return HttpMethods.IsPost(http.Request.Method)
            ? AsLink(parameters)
            : Next(http, Propose(back, valid, request.Pushed), browser.Ensure(http));
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
        if (http.Request.Query[Transaction] is not [{ } text] || proposals.Open(http.Tenant.Id, text, holder) is not { } proposal)
        {
            return Over;
        }

        if (proposal.Agreed is Proposal.Denied)
        {
            return answers.Error(http.Tenant, WayOf(proposal), new("access_denied", "The person said no.")).ToHttp();
        }

        var state = await StateAsync(http, proposal);
        return NextStep.Of(state) is NextStep.Issue
            ? Issue(http.Tenant, proposal)
            : Next(http, proposal, holder!);
    }

    private IResult Next(HttpContext http, Proposal proposal, string holder)
    {
        var caller = http.Features.Get<Caller>();
        var text = Uri.EscapeDataString(proposals.Seal(http.Tenant.Id, proposal, holder));
        return NextStep.Of(new(caller is not null, IsFreshEnough(proposal, caller), HasAgreed: false)) switch
        {
            NextStep.SignIn => new SeeOther($"/signin?{Transaction}={text}"),
            _ => new SeeOther($"/consent?{Transaction}={text}"),
        };
    }

    private IResult Issue(Tenant tenant, Proposal proposal) => answers.Code(
        tenant,
        WayOf(proposal),
        codes.Make(
            tenant.Id,
            new(proposal.Agreed!),
            new(proposal.Client),
            proposal.RedirectUri,
            proposal.Challenge,
            proposal.DpopJkt)).ToHttp();

    private static ReturnWay WayOf(Proposal proposal) =>
        new(new(proposal.Client), proposal.RedirectUri, proposal.State, proposal.ResponseMode);

    // The grant must be alive, and of the person who sits there now.
    private async ValueTask<AuthorizeState> StateAsync(HttpContext http, Proposal proposal)
    {
        var caller = http.Features.Get<Caller>();
        var grant = proposal.Agreed is { } agreed
            ? await grants.FindAsync(http.Tenant.Id, new(agreed), http.RequestAborted)
            : null;
        return new(
            caller is not null,
            IsFreshEnough(proposal, caller),
            grant is not null && grant.IsLive(clock.GetUtcNow()) && grant.Subject == caller?.Subject);
    }

    // OpenID Connect Core §3.1.2.1: prompt=login and max_age, both seen from when the request was made; by the time the
    // person has signed in and read, a max_age of 0 could never be met.
    private static bool IsFreshEnough(Proposal proposal, Caller? caller) =>
        caller is not null
        && (!proposal.NeedsFreshSignIn || caller.AuthTime.ToUnixTimeSeconds() >= proposal.CreatedAt)
        && (proposal.MaxAge is not { } age || caller.AuthTime.ToUnixTimeSeconds() >= proposal.CreatedAt - age);

    private Proposal Propose(ReturnAddress back, ValidAuthorizeRequest valid, GrantId? pushed) => new()
    {
        Id = (pushed ?? GrantId.New(clock.GetUtcNow(), random)).Value,
        Client = back.Client.Id.Value,
        ClientName = back.Client.Name,
        RedirectUri = back.Uri,
        Scope = valid.Scopes.ToString(),
        Resource = valid.Server.Resource.Value,
        State = back.Way.State,
        ResponseMode = back.Way.Mode,
        Challenge = valid.Challenge,
        DpopJkt = valid.DpopJkt,
        NeedsFreshSignIn = valid.Prompt.Contains("login"),
        MaxAge = valid.MaxAge,
        CreatedAt = clock.GetUtcNow().ToUnixTimeSeconds(),
    };

    // RFC 9700 §4.11.2: for a client nobody vouches for, a person sees where the way leads before it is taken.
    private IResult Refused(Tenant tenant, ReturnAddress back, OAuthError error)
    {
        var answer = answers.Error(tenant, back.Way, error);
        return back.Client.IsVouchedFor ? answer.ToHttp() : answer.Shown(error);
    }

    private static PageResult<ErrorPage, ErrorView> Shown(OAuthError error) => new(new(
        "This app can't be let in",
        error.Description,
        "Nothing was done. Go back to the app; if it happens again, tell whoever makes it."))
    {
        Status = error.Status is StatusCodes.Status401Unauthorized or StatusCodes.Status413PayloadTooLarge
            ? StatusCodes.Status400BadRequest
            : error.Status,
    };

    private static PageResult<ErrorPage, ErrorView> Over => new(new(
        "This request is over",
        "It has waited for more than ten minutes, or it was begun in another browser.",
        "Go back to the app and connect again."))
    {
        Status = StatusCodes.Status400BadRequest,
    };
}
