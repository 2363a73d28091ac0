using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Outbound;

namespace Postern.OAuth.ClientAuth;

/// <summary>What a trust domain signs with (SPIFFE Trust Domain and Bundle §4).</summary>
/// <param name="Keys">For JWT-SVIDs.</param>
/// <param name="Authorities">For X.509-SVIDs.</param>
/// <param name="Refresh">How long until it is looked at again.</param>
/// <param name="At">When it was read.</param>
internal sealed record SpiffeBundle(
    IReadOnlyList<JsonWebKey> Keys, X509Certificate2Collection Authorities, TimeSpan Refresh, DateTimeOffset At);

/// <summary>
/// The bundles of the trust domains that an operator named, by their names: what a workload says of where its keys are
/// is never asked. One that cannot be had anew is good for a day.
/// </summary>
internal sealed class SpiffeBundles
{
    private const int MaxKeys = 50;

    private static readonly TimeSpan
        Usual = TimeSpan.FromMinutes(5),
        Least = TimeSpan.FromSeconds(30),
        Longest = TimeSpan.FromHours(1),
        Absence = TimeSpan.FromDays(1);

    private readonly Dictionary<string, SpiffeSeed> domains;
    private readonly SafeHttp outbound;
    private readonly TimeProvider clock;
    private readonly ConcurrentDictionary<string, SpiffeBundle> known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DateTimeOffset> looked = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DateTimeOffset> busy = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task>> looking = new(StringComparer.Ordinal);

    public SpiffeBundles(Settings settings, SafeHttp outbound, TimeProvider clock)
    {
        (this.outbound, this.clock) = (outbound, clock);
        domains = settings.Spiffe.ToDictionary(seed => seed.TrustDomain, StringComparer.Ordinal);
        if (domains.Keys.FirstOrDefault(name => !SpiffeId.IsDomain(name)) is { } name)
        {
            throw new SetupException(
                $"`spiffe[].trust_domain` is `{name}`; expected lower-case letters, digits and . - _");
        }
    }

    /// <summary>The bundle of a trust domain; null for one that nobody named, or whose bundle cannot be had.</summary>
    /// <param name="domain">Its name.</param>
    /// <param name="suffices">False for a bundle that lacks what is looked for, which may have come since.</param>
    /// <param name="stop">Ends the wait.</param>
    public async ValueTask<SpiffeBundle?> FindAsync(
        string domain, Func<SpiffeBundle, bool> suffices, CancellationToken stop)
    {
        if (!domains.TryGetValue(domain, out var seed))
        {
            return null;
        }

        var (now, bundle) = (clock.GetUtcNow(), known.GetValueOrDefault(domain));
        if (bundle is null || now >= bundle.At + bundle.Refresh || !suffices(bundle))
        {
            await looking.GetOrAdd(domain, _ => new(() => LookAsync(seed))).Value.WaitAsync(stop);
            bundle = known.GetValueOrDefault(domain);
        }

        bundle = bundle is not null && now < bundle.At + Absence ? bundle : null;
        if ((bundle is null || !suffices(bundle)) && busy.TryGetValue(domain, out var until) && now < until)
        {
            throw new NoRoomException(until - now);
        }

        return bundle;
    }

    // One look for all who wait, and on nobody's token: a stranger who asks and hangs up would else use up the look of
    // the next half minute, again and again, until no key of the domain is known.
    private async Task LookAsync(SpiffeSeed seed)
    {
        var (domain, now) = (seed.TrustDomain, clock.GetUtcNow());
        try
        {
            if (looked.TryGetValue(domain, out var last) && now < last + Least)
            {
                return;
            }

            looked[domain] = now;
            busy.TryRemove(domain, out _);
            if (await ReadAsync(seed) is { } text && Parse(text, now) is { } read)
            {
                known[domain] = read;
            }
        }
        finally
        {
            looking.TryRemove(domain, out _);
        }
    }

    private async ValueTask<string?> ReadAsync(SpiffeSeed seed)
    {
        if (seed.Endpoint is { } endpoint)
        {
            var outcome = await outbound.GetAsync(endpoint, FetchRules.Json, CancellationToken.None);
            if (outcome is FetchOutcome.Busy { RetryAfter: var wait })
            {
                // Nothing was asked: the next look need not wait, and who came for this one is not at fault.
                looked.TryRemove(seed.TrustDomain, out _);
                busy[seed.TrustDomain] = clock.GetUtcNow() + wait;
            }

            return outcome is FetchOutcome.Answered answer ? Encoding.UTF8.GetString(answer.Body.Span) : null;
        }

        try
        {
            return await File.ReadAllTextAsync(seed.File!, CancellationToken.None);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // §4.2: what a key is for stands in use; one that is for something else, or of a kind that is not served, is
    // passed over.
    private static SpiffeBundle? Parse(string text, DateTimeOffset now)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var hint = document.RootElement.TryGetProperty("spiffe_refresh_hint", out var seconds)
                && seconds.TryGetInt64(out var number)
                    ? TimeSpan.FromSeconds(Math.Clamp(number, (long)Least.TotalSeconds, (long)Longest.TotalSeconds))
                    : Usual;
            var keys = new JsonWebKeySet(text).Keys.Take(MaxKeys).ToList();
            return new(
                [.. keys.Where(key => key is { Use: "jwt-svid", Kty: "EC" or "RSA" })],
                [.. keys.Where(key => key is { Use: "x509-svid", Kty: "EC" or "RSA", X5c.Count: > 0 }).Select(key =>
                    X509CertificateLoader.LoadCertificate(Convert.FromBase64String(key.X5c[0])))],
                hint,
                now);
        }
        catch (Exception malformed) when (malformed
            is JsonException or ArgumentException or FormatException or CryptographicException
            or InvalidOperationException)
        {
            return null;
        }
    }
}
