using System.Diagnostics;
using System.Net;
using Postern.Platform.Configuration;
using Postern.Platform.Outbound;
using Postern.Platform.Tenants;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Clients that are the URL of a metadata document: fetched, kept for as long as their hosts say, and counted where
/// those are away. A document is the same for all tenants; whether it may lead somewhere is each one's to say.
/// </summary>
internal sealed class ClientDocuments(
    SafeHttp outbound, Settings settings, AuthMethods methods, TenantBook tenants, TimeProvider clock)
{
    /// <summary>Documents in memory, and hosts that are away.</summary>
    private const int Capacity = 20_000;

    private readonly FetchCache<Client> documents = new(Capacity, clock);
    private readonly Absences absences = new(Capacity, clock);

    public bool AreServed => settings.MetadataDocuments;

    /// <summary>What is known of a document without asking its host; null for one that must be fetched.</summary>
    public Result<Client>? Fresh(TenantId tenant, ClientId id) => documents.Find(id.Value) switch
    {
        null => null,
        // Read by the rules of the tenant that fetched it: whose addresses are its own is each one's to say (T009).
        { } fresh when LeadsTo(fresh, tenants[tenant].Issuer) =>
            new OAuthError("invalid_client", "The metadata document leads to this server.", 401)
            {
                Reason = "metadata document",
            },
        { } fresh => fresh,
    };

    /// <summary>Asks the host.</summary>
    /// <param name="tenant">At which tenant the client stands.</param>
    /// <param name="id">The URL.</param>
    /// <param name="known">As it was when somebody there let it in; null when nobody has.</param>
    /// <param name="network">Whose budget it is fetched on then.</param>
    /// <param name="stop">Ends the waiting.</param>
    public async ValueTask<Result<Client>> FetchAsync(
        TenantId tenant, ClientId id, Client? known, string network, CancellationToken stop)
    {
        var outcome = known is not null
            ? await outbound.GetAsync(id.Value, FetchRules.ClientDocument.For(known), stop)
            : await outbound.GetForStrangerAsync(id.Value, FetchRules.ClientDocument, network, stop);
        return outcome switch
        {
            FetchOutcome.Answered answer => Read(tenant, id, answer),
            FetchOutcome.Busy busy => new OAuthError("temporarily_unavailable", busy.Sentence!, 503)
            {
                Reason = "document host",
                RetryAfter = busy.RetryAfter,
            },
            FetchOutcome.Refused refused =>
                new OAuthError("invalid_client", refused.Sentence, 401) { Reason = refused.Reason },
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>
    /// Asks the host of one that was let in before. What it says of the document counts, good or bad; that it says
    /// nothing says nothing about the client, for a week.
    /// </summary>
    public async ValueTask<Result<Client>> FetchAgainAsync(TenantId tenant, Client known, CancellationToken stop)
    {
        var url = known.Id.Value;
        return await outbound.GetAsync(url, FetchRules.ClientDocument.For(known), stop) switch
        {
            FetchOutcome.Answered answer => Read(tenant, known.Id, answer),
            FetchOutcome.Refused { Status: HttpStatusCode.NotFound or HttpStatusCode.Gone } =>
                OAuthError.InvalidClient("the metadata document was withdrawn"),
            // Our own budget: nobody was asked.
            FetchOutcome.Busy => known,
            _ when absences.IsLong(url) => OAuthError.InvalidClient("the metadata document cannot be had for a week"),
            _ => known,
        };
    }

    /// <summary>
    /// Metadata Document draft §3: https, a path, no dot segments, no fragment, no user; compared as text, never
    /// normalised.
    /// </summary>
    public static bool IsUrl(string url) =>
        OutboundUrl.TryParse(url, out var parsed)
        && parsed.Uri.AbsolutePath is not "/"
        && parsed.Uri.AbsoluteUri == url
        && !url.Contains("/./", StringComparison.Ordinal) && !url.Contains("/../", StringComparison.Ordinal)
        && !url.Contains("%2e", StringComparison.OrdinalIgnoreCase);

    private Result<Client> Read(TenantId tenant, ClientId id, FetchOutcome.Answered answer)
    {
        if (ClientMetadata.Document(answer.Body, id.Value, tenants[tenant].Issuer, methods)
            .Failed(out var error, out var metadata))
        {
            // Errors are not kept: the next request asks again, within the host's budget.
            return new OAuthError("invalid_client", error.Description, 401) { Reason = "metadata document" };
        }

        var client = Client.Of(id, ClientSource.Document, metadata);
        documents.Keep(id.Value, client, answer.FreshFor);
        absences.End(id.Value);
        return client;
    }

    private static bool LeadsTo(Client client, string issuer) =>
        client.RedirectUris.Concat(client.OpenId.PostLogoutRedirectUris)
            .Any(uri => RedirectUris.IsOurs(uri, issuer));
}
