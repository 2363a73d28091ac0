using System.Diagnostics;
using Postern.Grants;
using Postern.Identity.Sessions;
using Postern.Identity.SignOut;
using Postern.OAuth.Requests;
using Postern.Platform;
using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Consent;

/// <summary>
/// Asks a person whose browser was sent here, and turns a yes into a grant. Nothing is remembered in the person's
/// place: each request is a question of its own, answered by a click on our page.
/// </summary>
internal sealed class ConsentEndpoint(Proposals proposals, ConsentForm consent, PageForms forms, Once once)
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
        if (Opened(http) is not { } proposal)
        {
            return Over;
        }

        if (await once.HasAsync(http.Tenant.Id, Proposals.Answered, proposal.Id, http.RequestAborted))
        {
            return Answered;
        }

        return await QuestionAsync(http, proposal) is { } question ? Page(http, question, proposal) : Gone;
    }

    private async Task<IResult> DecideAsync(HttpContext http, ConsentDecision decision)
    {
        if (Opened(http) is not { } proposal)
        {
            return Over;
        }

        if (await QuestionAsync(http, proposal) is not { } question)
        {
            return Gone;
        }

        var (caller, network) = (http.Caller, SourceNetwork.Of(http));
        switch (await consent.ReadAsync(http, question, Transaction(http)))
        {
            case null:
                return RefusedForm.Page;
            case ConsentReply.No:
                return await decision.DenyAsync(question, caller, network) is ConsentOutcome.Denied
                    ? Back(http, proposal with { Agreed = Proposal.Denied })
                    : Over;
            case ConsentReply.Unclear:
                return Page(http, question, proposal, ConsentReply.Unclear.Problem);
            case ConsentReply.Yes yes:
                return await decision.AllowAsync(question, caller, yes.Agreed, yes.Until, network) switch
                {
                    ConsentOutcome.Granted made => Back(http, proposal with { Agreed = made.Grant.Id.Value }),
                    ConsentOutcome.Gone => Gone,
                    _ => Over,
                };
            default:
                throw new UnreachableException();
        }
    }

    private static string Transaction(HttpContext http) => http.Request.Query[ConsentView.TransactionField].ToString();

    // /authorize sends the person to sign in, and back here.
    private static SeeOther SignIn(HttpContext http) =>
        new($"/authorize?transaction={Uri.EscapeDataString(Transaction(http))}");

    // Every step returns to /authorize, which alone answers the client.
    private SeeOther Back(HttpContext http, Proposal answered) => new(
        "/authorize?transaction="
        + Uri.EscapeDataString(proposals.Seal(http.Tenant.Id, answered, Browser.Known(http)!)));

    private Proposal? Opened(HttpContext http) =>
        proposals.Open(http.Tenant.Id, Transaction(http), Browser.Known(http)) is { Agreed: null } proposal
            ? proposal
            : null;

    private ValueTask<ConsentQuestion?> QuestionAsync(HttpContext http, Proposal proposal) =>
        consent.QuestionAsync(http, proposal, Installation(http, proposal), ask: null);

    private PageResult<ConsentPage, ConsentView> Page(
        HttpContext http, ConsentQuestion question, Proposal proposal, string? problem = null)
    {
        var (place, client) = (ReturnPlace.Of(new(proposal.RedirectUri)), question.Client);
        var who = new Asker(
            client.Name,
            client.Id.IsDocument ? Untrusted.Host(new(client.Id.Value)) : null,
            client.IsVouchedFor ? Proof.Vouched : client.Id.IsDocument ? Proof.Proven : Proof.None,
            client.FirstSeen,
            place.IsThisComputer || place.IsApp ? DeviceName.Of(http.Request.Headers.UserAgent) : null);
        return new(consent.View(http, question, who) with
        {
            Return = place,
            Transaction = Transaction(http),
            SignOutToken = forms.Token(http.Tenant.Id, SignOutEndpoint.Purpose, http.Caller.Session),
            Problem = problem,
        })
        {
            FormTargets = [place.FormTarget],
        };
    }

    // A program on a device is a copy of its own; a service on the web is one copy for everybody.
    private static (InstallationId Id, string Name) Installation(HttpContext http, Proposal proposal)
    {
        var place = ReturnPlace.Of(new(proposal.RedirectUri));
        var isHere = place.IsThisComputer || place.IsApp;
        return (
            Installations.Id(http.Caller.Subject, new(proposal.Client), isHere ? Browser.Known(http)! : ""),
            isHere ? DeviceName.Of(http.Request.Headers.UserAgent) : place.Words);
    }

    private static PageResult<ErrorPage, ErrorView> Gone => new(new(
        "What was asked about is gone",
        "The server was removed, or the app is not registered here any more. Nothing was allowed.",
        "Go back to the app and connect again."))
    {
        Status = StatusCodes.Status400BadRequest,
    };

    private static PageResult<ErrorPage, ErrorView> Answered => new(new(
        "This question was answered",
        "It is asked once. If you allowed it, it stands on your page, where you can end it at any time.",
        "Go back to the app, or to your page.",
        "/me",
        "Your page"))
    {
        Status = StatusCodes.Status410Gone,
    };

    private static PageResult<ErrorPage, ErrorView> Over => new(new(
        "This question is over",
        "It was answered, has waited for more than ten minutes, or was opened in another browser.",
        "Go back to the app and connect again."))
    {
        Status = StatusCodes.Status400BadRequest,
    };
}
