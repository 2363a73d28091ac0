using System.Collections.Concurrent;
using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Platform.Outbound;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Resolves a <c>client_id</c>, for every endpoint in the same order: configured, metadata document, registered.
/// </summary>
internal sealed class ClientBook
{
    public const string Kind = "client";

    /// <summary>Clients and documents in memory.</summary>
    private const int Capacity = 20_000;

    private readonly ClientStore store;
    private readonly SafeHttp outbound;
    private readonly Settings settings;
    private readonly TimeProvider clock;
    private readonly IReadOnlyDictionary<string, Client> configured;
    private readonly Cache<(TenantId, ClientId), Client> stored;
    private readonly ConcurrentDictionary<string, Fetched> documents = new(StringComparer.Ordinal);

    public ClientBook(ClientStore store, Changes changes, SafeHttp outbound, Settings settings, TimeProvider clock)
    {
        (this.store, this.outbound, this.settings, this.clock) = (store, outbound, settings, clock);
        configured = settings.Clients.Select(seed => ConfiguredClient.Read(seed, settings)).ToDictionary(client => client.Id.Value);
        stored = new(Capacity, (key, stop) => store.FindAsync(key.Item1, key.Item2, stop));
        changes.Subscribe(Hear);
    }

    /// <summary>
    /// The client, with its metadata as fresh as its own cache lifetime says. An outage is not an unknown client: a client
    /// that is told so would register anew.
    /// </summary>
    public async ValueTask<Result<Client>> FindAsync(TenantId tenant, string id, CancellationToken stop)
    {
        if (configured.TryGetValue(id, out var known))
        {
            return known;
        }

        var client = new ClientId(id);
        if (client.IsDocument)
        {
            return await DocumentAsync(tenant, client, stop);
        }

        // RFC 6749 §A.1: printable ASCII. Anything else is no identifier, and a NUL would not pass the database.
        return id.Length <= 200 && !id.AsSpan().ContainsAnyExceptInRange(' ', '~') && await stored.FindAsync((tenant, client), stop) is { } found
            ? found
            : OAuthError.InvalidClient("unknown client");
    }

    /// <summary>
    /// The client as it was when a person let it in, if its metadata cannot be had fresh: a document's host that is away
    /// for an hour ends nobody's session.
    /// </summary>
    public async ValueTask<Result<Client>> FindKnownAsync(TenantId tenant, string id, CancellationToken stop)
    {
        var client = new ClientId(id);
        if (!client.IsDocument || configured.ContainsKey(id) || IsFresh(id))
        {
            return await FindAsync(tenant, id, stop);
        }

        if (!settings.MetadataDocuments || await stored.FindAsync((tenant, client), stop) is not { } known)
        {
            return await FindAsync(tenant, id, stop);
        }

        // What the host answers counts, good or bad; that it does not answer says nothing about the client.
        return await outbound.GetAsync(id, FetchRules.ClientDocument, stop) is FetchOutcome.Answered answer
            ? await ReadAsync(tenant, client, answer, stop)
            : known;
    }

    /// <summary>Keeps a client that a person has just let in, as part of that unit.</summary>
    public async ValueTask KeepAsync(Unit unit, TenantId tenant, Client client)
    {
        if (!client.IsVouchedFor)
        {
            await ClientStore.SaveAsync(unit, tenant, client, clock.GetUtcNow());
            unit.Announce(Kind, tenant, client.Id.Value);
        }
    }

    private bool IsFresh(string url) => documents.TryGetValue(url, out var fetched) && fetched.Until > clock.GetUtcNow();

    private async ValueTask<Result<Client>> DocumentAsync(TenantId tenant, ClientId id, CancellationToken stop)
    {
        if (documents.TryGetValue(id.Value, out var fetched) && fetched.Until > clock.GetUtcNow())
        {
            return fetched.Client;
        }

        if (!settings.MetadataDocuments || !IsDocumentUrl(id.Value))
        {
            return OAuthError.InvalidClient("not the URL of a metadata document");
        }

        return await outbound.GetAsync(id.Value, FetchRules.ClientDocument, stop) switch
        {
            FetchOutcome.Answered answer => await ReadAsync(tenant, id, answer, stop),
            FetchOutcome.Busy busy => new OAuthError("temporarily_unavailable", busy.Sentence!, 503) { Reason = "document host" },
            FetchOutcome.Refused refused => new OAuthError("invalid_client", refused.Sentence, 401) { Reason = refused.Reason },
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private async ValueTask<Result<Client>> ReadAsync(TenantId tenant, ClientId id, FetchOutcome.Answered answer, CancellationToken stop)
    {
        if (ClientMetadata.Document(answer.Body, id.Value, settings.Issuer).Failed(out var error, out var metadata))
        {
            // Errors are not kept: the next request asks again, within the host's budget.
            return new OAuthError("invalid_client", error.Description, 401) { Reason = "metadata document" };
        }

        var known = await stored.FindAsync((tenant, id), stop);
        var client = new Client
        {
            Id = id,
            Source = ClientSource.Document,
            Name = metadata.Name!,
            AuthMethods = [metadata.AuthMethod],
            Jwks = metadata.Jwks,
            JwksUri = metadata.JwksUri,
            RedirectUris = metadata.RedirectUris,
            GrantTypes = metadata.GrantTypes,
            ScopeCap = metadata.Scope,
            FirstSeen = known?.FirstSeen,
        };
        MakeRoom();
        documents[id.Value] = new(client, clock.GetUtcNow() + answer.FreshFor);
        return client;
    }

    private void MakeRoom()
    {
        if (documents.Count < Capacity)
        {
            return;
        }

        foreach (var old in documents.OrderBy(document => document.Value.Until).Take(Capacity / 10).ToList())
        {
            documents.TryRemove(old);
        }
    }

    // Metadata Document draft §3: https, a path, no dot segments, no fragment, no user; compared as text, never normalised.
    private static bool IsDocumentUrl(string url) =>
        OutboundUrl.TryParse(url, out var parsed)
        && parsed.Uri.AbsolutePath is not "/"
        && parsed.Uri.AbsoluteUri == url
        && !url.Contains("/./", StringComparison.Ordinal) && !url.Contains("/../", StringComparison.Ordinal)
        && !url.Contains("%2e", StringComparison.OrdinalIgnoreCase);

    private void Hear(Change change)
    {
        if (change.Kind is Changes.Everything)
        {
            stored.Clear();
        }
        else if (change.Kind is Kind)
        {
            stored.Drop((change.Tenant, new(change.Key)));
        }
    }

    private sealed record Fetched(Client Client, DateTimeOffset Until);
}
