using System.Text;
using Microsoft.IdentityModel.Tokens;
using Postern.Platform.Outbound;

namespace Postern.OAuth.ClientAuth;

/// <summary>The public keys of clients: from their registration, or fetched from where it says.</summary>
internal sealed class ClientKeys(SafeHttp outbound, TimeProvider clock)
{
    // Some publish a key for each of their apps, and others to encrypt with.
    private const int Capacity = 5_000, MaxKeys = 100;

    // An unknown key id is worth another look, but not at the pace of whoever invents key ids.
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(30);

    private readonly FetchCache<Fetched> fetched = new(Capacity, clock);

    /// <summary>The keys that may have signed, looked for again when none has that identifier.</summary>
    public ValueTask<IReadOnlyList<SecurityKey>> FindAsync(Client client, string? kid, CancellationToken stop) =>
        FindAsync(client.Jwks, client.JwksUri, kid, stop, FetchRules.Json.For(client));

    /// <summary>The same of keys that somebody else has: these, or those that are there.</summary>
    public async ValueTask<IReadOnlyList<SecurityKey>> FindAsync(
        string? jwks, string? jwksUri, string? kid, CancellationToken stop, FetchRules? rules = null)
    {
        if (jwks is not null)
        {
            return Signing(jwks);
        }

        if (jwksUri is not { } uri)
        {
            return [];
        }

        var known = await LookAsync(
            uri,
            rules ?? FetchRules.Json,
            keys => keys.Signing.Any(key => string.IsNullOrEmpty(kid) || key.KeyId == kid),
            stop);
        return known?.Signing ?? [];
    }

    /// <summary>Whether one of a client's keys is the one that is looked for.</summary>
    public async ValueTask<bool> HasAsync(Client client, Func<JsonWebKey, bool> isIt, CancellationToken stop) =>
        (client.Jwks, client.JwksUri) switch
        {
            ({ } own, _) => All(own).Any(isIt),
            (_, { } uri) =>
                (await LookAsync(uri, FetchRules.Json.For(client), keys => keys.All.Any(isIt), stop))
                    ?.All.Any(isIt) is true,
            _ => false,
        };

    // What is known, or what is there now when that may be something else.
    private async ValueTask<Fetched?> LookAsync(
        string uri, FetchRules rules, Func<Fetched, bool> suffices, CancellationToken stop)
    {
        var known = fetched.Find(uri);
        if (known is not null && (suffices(known) || clock.GetUtcNow() < known.At + LookAgainAfter))
        {
            return known;
        }

        var outcome = await outbound.GetAsync(uri, rules, stop);
        if (outcome is FetchOutcome.Busy busy)
        {
            throw new NoRoomException(busy.RetryAfter);
        }

        if (outcome is FetchOutcome.Answered answer)
        {
            var jwks = Encoding.UTF8.GetString(answer.Body.Span);
            known = new(Signing(jwks), All(jwks), clock.GetUtcNow());
            fetched.Keep(uri, known, answer.FreshFor);
        }

        return known;
    }

    // As they were written, so that what a key says of itself (its algorithm) is not lost.
    private static IReadOnlyList<SecurityKey> Signing(string jwks) =>
        [.. Read(jwks).Where(key => key is { Kty: "EC" or "RSA", Use: null or "" or "sig" }).Take(MaxKeys)];

    private static IReadOnlyList<JsonWebKey> All(string jwks) => [.. Read(jwks).Take(MaxKeys)];

    private static IEnumerable<JsonWebKey> Read(string jwks)
    {
        try
        {
            return new JsonWebKeySet(jwks).Keys;
        }
        catch (ArgumentException)
        {
            return [];
        }
    }

    private sealed record Fetched(
        IReadOnlyList<SecurityKey> Signing, IReadOnlyList<JsonWebKey> All, DateTimeOffset At);
}
