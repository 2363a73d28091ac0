using System.Diagnostics;
using Postern.Approvals;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Consent;

/// <summary>
/// The same question as <c>/consent</c>, where the client waits elsewhere for the answer: only the person it was put to
/// sees it, and nobody is sent anywhere after.
/// </summary>
internal sealed class AskEndpoint(AskBook asks, ConsentForm consent, Pings pings, TimeProvider clock)
{
    private const string TooWeak = "This can be allowed by somebody who has signed in with a passkey. Sign out, sign "
        + "in with yours, and open this question again; or deny.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/i/{name}", (HttpContext http, string name, AskEndpoint ask) => ask.ShowAsync(http, name))
            .For(Door.PersonOr(SignIn));
        routes.MapPost(
            "/i/{name}",
            (HttpContext http, string name, AskEndpoint ask, ConsentDecision decision) =>
                ask.DecideAsync(http, name, decision)).For(Door.PersonOr(SignIn));
    }

    private async Task<IResult> ShowAsync(HttpContext http, string name)
    {
        if (await FindAsync(http, name) is not { } ask)
        {
            return Nothing;
        }

        if (ask.State is not AskState.Pending)
        {
            return new PageResult<AnsweredPage, AnsweredView>(
                new(ask.State is AskState.Approved, ask.Way is AskWay.Device));
        }

        return !ask.IsOver(clock.GetUtcNow()) && await QuestionAsync(http, ask) is { } question
            ? Page(http, question, ask)
            : Over;
    }

    private async Task<IResult> DecideAsync(HttpContext http, string name, ConsentDecision decision)
    {
        if (await FindAsync(http, name) is not { } ask)
        {
            return Nothing;
        }

        if (await QuestionAsync(http, ask) is not { } question)
        {
            return Over;
        }

        var (caller, network) = (http.Caller, SourceNetwork.Of(http));
        switch (await consent.ReadAsync(http, question, ask.Name))
        {
            case null:
                return RefusedForm.Page;
            case ConsentReply.No:
                return After(ask, await decision.DenyAsync(question, caller, network));
            case ConsentReply.Unclear:
                return Page(http, question, ask, ConsentReply.Unclear.Problem);
            case ConsentReply.Yes when !Acr.Meets(caller.Acr, ask.Wish.AcrValues ?? []):
                return Page(http, question, ask, TooWeak);
            case ConsentReply.Yes yes:
                return After(ask, await decision.AllowAsync(question, caller, yes.Agreed, yes.Until, network));
            default:
                throw new UnreachableException();
        }
    }

    // The name is checked where it becomes an address again.
    private static SeeOther SignIn(HttpContext http) => new(
        $"/signin?to=ask-{Uri.EscapeDataString(http.GetRouteValue("name")?.ToString() ?? "")}");

    // Of one answer that comes many times the client hears once.
    private IResult After(Ask ask, ConsentOutcome outcome)
    {
        if (outcome is ConsentOutcome.Granted { IsFirst: true } or ConsentOutcome.Denied { IsFirst: true })
        {
            pings.Send(ask);
        }

        return outcome is ConsentOutcome.Granted or ConsentOutcome.Denied ? new SeeOther($"/i/{ask.Name}") : Over;
    }

    // Somebody else's question is none.
    private async ValueTask<Ask?> FindAsync(HttpContext http, string name) =>
        name.Length is 32
        && name.All(char.IsAsciiHexDigitLower)
        && await asks.FindAsync(http.Tenant.Id, new(GrantId.Prefix + name), http.RequestAborted) is { } ask
        && ask.IsFor(http.Caller)
            ? ask
            : null;

    // Each device is a copy of its own; a service is one for everybody.
    private ValueTask<ConsentQuestion?> QuestionAsync(HttpContext http, Ask ask)
    {
        var (copy, name) = ask.Way is AskWay.Device
            ? (ask.Name, $"a device on {ask.Network}")
            : ("", $"a service on {ask.Network}");
        return consent.QuestionAsync(
            http, ask.Wish, (Installations.Id(http.Caller.Subject, ask.Client, copy), name), ask);
    }

    private PageResult<ConsentPage, ConsentView> Page(
        HttpContext http, ConsentQuestion question, Ask ask, string? problem = null)
    {
        var client = question.Client;
        var who = new Asker(
            client.Name,
            client.Id.IsDocument ? Untrusted.Host(new(client.Id.Value)) : null,
            ProofOf(client),
            client.FirstSeen,
            null);
        return new(consent.View(http, question, who) with
        {
            Waiting = new(
                ask.UserCode is { } code ? UserCode.Shown(code) : null,
                ask.Message,
                ask.CreatedAt,
                ask.Network,
                ask.Network == SourceNetwork.Of(http)),
            Transaction = ask.Name,
            Problem = problem,
        });
    }

    // An identifier that needs no proof is anybody's to use.
    private static Proof ProofOf(Client client) => client switch
    {
        { IsVouchedFor: true } => Proof.Vouched,
        { Id.IsDocument: true, IsPublic: false } => Proof.Proven,
        _ => Proof.None,
    };

    private static PageResult<ErrorPage, ErrorView> Nothing => new(new(
        "There is no question here for you",
        "It may be somebody else's, or was opened in another browser, or is long over.",
        "If a device shows you a code, enter it once more.",
        "/device",
        "Enter a code"))
    {
        Status = StatusCodes.Status404NotFound,
    };

    private static PageResult<ErrorPage, ErrorView> Over => new(new(
        "This question is over",
        "It has waited too long, was answered before, or what was asked about is gone. Nothing was allowed by this.",
        "Go back to the program that asked, and let it ask again."))
    {
        Status = StatusCodes.Status400BadRequest,
    };
}
