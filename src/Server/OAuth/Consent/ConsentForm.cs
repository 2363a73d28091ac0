using Postern.Approvals;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.OAuth.Consent;

/// <summary>The one page by which a person is asked, whichever way the question came: shown, and read back.</summary>
internal sealed class ConsentForm(
    ClientBook clients,
    AgentBook agents,
    ServerBook servers,
    Offers offers,
    UserStore users,
    PageForms forms,
    TimeProvider clock)
{
    /// <summary>The question as it stands now; null when its client or its server is gone.</summary>
    public async ValueTask<ConsentQuestion?> QuestionAsync(
        HttpContext http, Wish wish, (InstallationId Id, string Name) installation, Ask? ask)
    {
        var found = await clients.FindAsync(
            http.Tenant.Id, wish.Client, SourceNetwork.Of(http), http.RequestAborted);
        if (found.Failed(out _, out var client)
            || !Resource.TryParse(wish.Resource, out var resource)
            || !Scopes.TryParse(wish.Scope, out var asked))
        {
            return null;
        }

        var server = servers.ByResource(http.Tenant.Id, resource);
        if (server is null && wish.Resource != http.Tenant.UserInfo)
        {
            return null;
        }

        return new()
        {
            Wish = wish,
            Ask = ask,
            Client = client,
            Server = server,
            Resource = resource,
            Person = asked.Has(Scopes.OpenId)
                ? await users.FindAsync(http.Tenant.Id, http.Caller.Subject, http.RequestAborted)
                : null,
            Asked = asked,
            Catalogue = server is null ? [] : servers.Catalogue(server)?.Tools,
            Installation = installation,
            Before = await offers.LastAsync(http.Tenant.Id, installation.Id, resource, http.RequestAborted),
        };
    }

    /// <summary>The view of a question, without what belongs to the way it came.</summary>
    public ConsentView View(HttpContext http, ConsentQuestion question, Asker who) => new()
    {
        Who = who,
        Server = question.Server?.Title,
        TellsWho = question.Asked.Has(Scopes.OpenId),
        Told = question.Told,
        PolicyUri = Linked(question.Client, question.Client.OpenId.PolicyUri),
        TermsUri = Linked(question.Client, question.Client.OpenId.TermsUri),
        Purpose = agents.Of(http.Tenant.Id, question.Client.Id)?.Purpose,
        Account = http.Caller.Email,
        Tools = question.Choices,
        Details = DetailWords.Of(question.Details, question.Server),
        Until = ConsentDials.Until(question.Client.At(http.Tenant), clock.GetUtcNow()),
        Idle = PlainTime.Span(question.Client.At(http.Tenant).RefreshIdle),
        FormToken = forms.Token(http.Tenant.Id, question.Purpose, http.Caller.Session),
    };

    // RFC 7591 §5: whom nobody vouches for sends a person from this page to no other host than answers go to.
    private static string? Linked(Client client, string? page) =>
        page is null || client.IsVouchedFor || client.RedirectUris.Any(uri => IsOneHost(new(uri), new(page)))
            ? page
            : null;

    private static bool IsOneHost(Uri one, Uri other) => (one.Scheme, one.Authority) == (other.Scheme, other.Authority);

    /// <summary>The answer to exactly this question; null when the form is none of ours.</summary>
    public async ValueTask<ConsentReply?> ReadAsync(HttpContext http, ConsentQuestion question, string transaction)
    {
        var form = await forms.ReadAsync(
            http.Request,
            question.Purpose,
            http.Caller.Session,
            http.RequestAborted,
            ConsentView.ToolField,
            ConsentView.ToldField);
        if (form is null || form[ConsentView.TransactionField] != transaction)
        {
            return null;
        }

        if (form[ConsentView.DecisionField] != ConsentView.Allow)
        {
            return new ConsentReply.No();
        }

        return question.Narrow(
                [.. form[ConsentView.ToolField].OfType<string>()],
                [.. form[ConsentView.ToldField].OfType<string>()]) is { } agreed
            && ConsentDials.Read(
                form[ConsentView.UntilField], question.Client.At(http.Tenant), clock.GetUtcNow()) is { } until
            ? new ConsentReply.Yes(agreed, until)
            : new ConsentReply.Unclear();
    }
}
