using Postern.Audit;
using Postern.Platform.Http;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Leaves in the log what clients were refused where they prove themselves (ADR 0030): of each client and reason the
/// first in a minute as it comes, and at the end of the minute how many more there were. Whatever is sent, a minute has
/// a bounded number of entries; of callers that name no client we know there are none.
/// </summary>
internal sealed class Refusals : IDisposable
{
    private const int MaxReason = 200;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    // What a client that does all right is answered on its way.
    private static readonly string[] Usual =
    [
        "authorization_pending", "slow_down", "use_dpop_nonce", "use_attestation_challenge", "use_fresh_attestation",
        "temporarily_unavailable", "server_error",
    ];

    private readonly AuditLog audit;
    private readonly Lock gate = new();
    private readonly Dictionary<Key, long> minute = [];
    private readonly Dictionary<(TenantId, Standing), int> entries = [];
    private readonly ITimer closing;

    public Refusals(AuditLog audit, TimeProvider clock)
    {
        this.audit = audit;
        closing = clock.CreateTimer(_ => Close(), null, Minute, Minute);
    }

    /// <summary>What is refused to this request from now on was refused to this client.</summary>
    public Watched Watch(HttpContext http, Tenant tenant, Client client, string network)
    {
        var watched = new Watched(this, http.Request.Path, tenant.Id, client, network);
        http.Features.Set<RefusalHeard>(watched);
        return watched;
    }

    /// <summary>What was counted until now is written, too: the database is closed later, with all that waits.</summary>
    public void Dispose()
    {
        closing.Dispose();
        Close();
    }

    /// <summary>
    /// Entries a minute at a tenant: each standing has its own, so that who only says a name hides nothing of those
    /// who proved theirs.
    /// </summary>
    internal static int Most(Standing standing) => standing is Standing.Known ? 300 : 30;

    private void Note(Key key, string network)
    {
        if (Usual.Contains(key.Code))
        {
            return;
        }

        lock (gate)
        {
            if (minute.TryGetValue(key, out var more))
            {
                minute[key] = more + 1;
                return;
            }

            var place = (key.Tenant, key.Standing);
            var written = entries.GetValueOrDefault(place);
            if (written >= Most(key.Standing))
            {
                var rest = new Key(key.Tenant, null, key.Standing, null, "others", "");
                minute[rest] = minute.GetValueOrDefault(rest) + 1;
                return;
            }

            (entries[place], minute[key]) = (written + 1, 0);
        }

        Write(key, network, key.Reason);
    }

    private void Close()
    {
        List<KeyValuePair<Key, long>> over;
        lock (gate)
        {
            over = [.. minute.Where(seen => seen.Value > 0)];
            minute.Clear();
            entries.Clear();
        }

        foreach (var (key, more) in over)
        {
            Write(key, null, $"{(key.Client is null ? "other refusals" : key.Reason)}; {more} more within the minute");
        }
    }

    private void Write(Key key, string? network, string reason) => audit.WriteSoon(new()
    {
        Tenant = key.Tenant,
        Kind = AuditKinds.RequestRefused,
        Action = key.Path,
        Client = key.Client,
        Effect = "deny",
        Reason = $"{key.Code}: {(reason.Length > MaxReason ? reason[..MaxReason] : reason)}",
        Network = network,
    });

    private sealed record Key(
        TenantId Tenant, ClientId? Client, Standing Standing, string? Path, string Code, string Reason);

    /// <summary>One request of a client.</summary>
    internal sealed class Watched(Refusals refusals, string path, TenantId tenant, Client client, string network)
        : RefusalHeard
    {
        /// <summary>It has shown by now that it is the client.</summary>
        public bool IsProven { get; set; }

        private Standing Standing => client.Source is not (ClientSource.Configured or ClientSource.Workload)
            ? Standing.Stranger
            : IsProven && !client.IsPublic ? Standing.Known : Standing.Named;

        public override void Tell(OAuthError error) => refusals.Note(
            new(tenant, client.Id, Standing, path, error.Code, error.Reason ?? error.Description), network);
    }

    internal enum Standing
    {
        /// <summary>An operator knows it, and it proved that it is the one.</summary>
        Known,

        /// <summary>Somebody calls themselves by its name.</summary>
        Named,

        /// <summary>It registered itself, or is its document.</summary>
        Stranger,
    }
}
