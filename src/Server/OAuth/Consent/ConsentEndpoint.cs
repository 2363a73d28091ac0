using Postern.Grants;
using Postern.Identity.Sessions;
using Postern.Identity.SignOut;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.OAuth.Consent;

/// <summary>
/// Asks a person, and turns a yes into a grant. Nothing is remembered in the person's place: each request is a question
/// of its own, answered by a click on our page.
/// </summary>
internal sealed class ConsentEndpoint(
    Proposals proposals,
    ClientBook clients,
    ServerBook servers,
    Offers offers,
    UserStore users,
    PageForms forms,
    TimeProvider clock)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/consent", (HttpContext http, ConsentEndpoint consent) => consent.AskAsync(http))
            .For(Door.PersonOr(SignIn));
        routes.MapPost("/consent", (HttpContext http, ConsentEndpoint consent, ConsentDecision decision) =>
            consent.DecideAsync(http, decision)).For(Door.PersonOr(_ => Over));
    }

    private async Task<IResult> AskAsync(HttpContext http)
    {
        var text = Transaction(http);
        if (Opened(http, text) is not { } proposal)
        {
            return Over;
        }

        return await QuestionAsync(http, http.Caller, proposal) is { } question
            ? Page(http, http.Caller, question, text)
            : Gone;
    }

    private async Task<IResult> DecideAsync(HttpContext http, ConsentDecision decision)
    {
        var (caller, text) = (http.Caller, Transaction(http));
        if (Opened(http, text) is not { } proposal)
        {
            return Over;
        }

        if (await QuestionAsync(http, caller, proposal) is not { } question)
        {
            return Gone;
        }

        if (await forms.ReadAsync(http.Request, question.Purpose, caller.Session, http.RequestAborted) is not { } form
            || form[ConsentView.TransactionField] != text)
        {
            return RefusedForm.Page;
        }

        if (form[ConsentView.DecisionField] != ConsentView.Allow)
        {
            return await decision.DenyAsync(question, caller, SourceNetwork.Of(http))
                ? Back(http, question.Proposal with { Agreed = Proposal.Denied })
                : Over;
        }

        if (question.Narrow(
                [.. form[ConsentView.ToolField].OfType<string>()],
                [.. form[ConsentView.ToldField].OfType<string>()]) is not { } agreed
            || ConsentDials.Read(form[ConsentView.UntilField], http.Tenant, clock.GetUtcNow()) is not { } until)
        {
            return Page(http, caller, question, text, "Nothing is left to allow. Turn something on, or deny.");
        }

        return await decision.AllowAsync(question, caller, agreed, until, SourceNetwork.Of(http)) switch
        {
            ConsentOutcome.Granted made => Back(http, question.Proposal with { Agreed = made.Grant.Id.Value }),
            ConsentOutcome.Gone => Gone,
            _ => Over,
        };
    }

    private static string Transaction(HttpContext http) => http.Request.Query[ConsentView.TransactionField].ToString();

    // /authorize sends the person to sign in, and back here.
    private static SeeOther SignIn(HttpContext http) =>
        new($"/authorize?transaction={Uri.EscapeDataString(Transaction(http))}");

    // Every step returns to /authorize, which alone answers the client.
    private SeeOther Back(HttpContext http, Proposal answered) =>
        new("/authorize?transaction=" + Uri.EscapeDataString(proposals.Seal(http.Tenant.Id, answered, Browser.Known(http)!)));

    private Proposal? Opened(HttpContext http, string text) =>
        proposals.Open(http.Tenant.Id, text, Browser.Known(http)) is { Agreed: null } proposal ? proposal : null;

    private async ValueTask<ConsentQuestion?> QuestionAsync(HttpContext http, Caller caller, Proposal proposal)
    {
        var found = await clients.FindAsync(http.Tenant.Id, proposal.Client, http.RequestAborted);
        if (found.Failed(out _, out var client)
            || !Resource.TryParse(proposal.Resource, out var resource)
            || !Scopes.TryParse(proposal.Scope, out var asked))
        {
            return null;
        }

        var server = servers.ByResource(http.Tenant.Id, resource);
        if (server is null && proposal.Resource != http.Tenant.UserInfo)
        {
            return null;
        }

        var installation = Installation(http, caller, proposal);
        return new()
        {
            Proposal = proposal,
            Client = client,
            Server = server,
            Resource = resource,
            Person = asked.Has(Scopes.OpenId)
                ? await users.FindAsync(http.Tenant.Id, caller.Subject, http.RequestAborted)
                : null,
            Asked = asked,
            Catalogue = server is null ? [] : servers.Catalogue(server)?.Tools,
            Installation = installation,
            Before = await offers.LastAsync(caller.Tenant, installation.Id, resource, http.RequestAborted),
        };
    }

    private PageResult<ConsentPage, ConsentView> Page(
        HttpContext http, Caller caller, ConsentQuestion question, string text, string? problem = null)
    {
        var place = ReturnPlace.Of(new(question.Proposal.RedirectUri));
        var client = question.Client;
        var view = new ConsentView
        {
            Who = new(
                client.Name,
                client.Id.IsDocument ? Untrusted.Host(new(client.Id.Value)) : null,
                client.IsVouchedFor ? Proof.Vouched : client.Id.IsDocument ? Proof.Proven : Proof.None,
                client.FirstSeen,
                place.IsThisComputer || place.IsApp ? DeviceName.Of(http.Request.Headers.UserAgent) : null),
            Return = place,
            Server = question.Server?.Title,
            TellsWho = question.Asked.Has(Scopes.OpenId),
            Told = question.Told,
            PolicyUri = client.OpenId.PolicyUri,
            TermsUri = client.OpenId.TermsUri,
            Account = caller.Email,
            Tools = question.Choices,
            Until = ConsentDials.Until(http.Tenant, clock.GetUtcNow()),
            Transaction = text,
            Idle = PlainTime.Span(http.Tenant.RefreshIdle),
            FormToken = forms.Token(http.Tenant.Id, question.Purpose, caller.Session),
            SignOutToken = forms.Token(http.Tenant.Id, SignOutEndpoint.Purpose, caller.Session),
            Problem = problem,
        };
        return new(view) { FormTargets = [place.FormTarget] };
    }

    // A program on a device is a copy of its own; a service on the web is one copy for everybody.
    private static (InstallationId Id, string Name) Installation(HttpContext http, Caller caller, Proposal proposal)
    {
        var place = ReturnPlace.Of(new(proposal.RedirectUri));
        var isHere = place.IsThisComputer || place.IsApp;
        return (
            Installations.Id(caller.Subject, new(proposal.Client), isHere ? Browser.Known(http)! : ""),
            isHere ? DeviceName.Of(http.Request.Headers.UserAgent) : place.Words);
    }

    private static PageResult<ErrorPage, ErrorView> Gone => new(new(
        "What was asked about is gone",
        "The server was removed, or the app is not registered here any more. Nothing was allowed.",
        "Go back to the app and connect again."))
    {
        Status = StatusCodes.Status400BadRequest,
    };

    private static PageResult<ErrorPage, ErrorView> Over => new(new(
        "This question is over",
        "It was answered, has waited for more than ten minutes, or was opened in another browser.",
        "Go back to the app and connect again."))
    {
        Status = StatusCodes.Status400BadRequest,
    };
}
