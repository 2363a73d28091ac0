using System.Text;
using Microsoft.IdentityModel.Tokens;
using Postern.Platform.Outbound;

namespace Postern.OAuth.ClientAuth;

/// <summary>The public keys of clients: from their registration, or fetched from where it says.</summary>
internal sealed class ClientKeys(SafeHttp outbound, TimeProvider clock)
{
    private const int Capacity = 5_000, MaxKeys = 10;

    // An unknown key id is worth another look, but not at the pace of whoever invents key ids.
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(30);

    private readonly FetchCache<Fetched> fetched = new(Capacity, clock);

    /// <summary>The keys that may have signed: the one of that identifier, or all when none is named.</summary>
    public ValueTask<IReadOnlyList<SecurityKey>> FindAsync(Client client, string? kid, CancellationToken stop) =>
        FindAsync(client.Jwks, client.JwksUri, kid, stop);

    /// <summary>The same of keys that somebody else has: these, or those that are there.</summary>
    public async ValueTask<IReadOnlyList<SecurityKey>> FindAsync(
        string? jwks, string? jwksUri, string? kid, CancellationToken stop)
    {
        if (jwks is not null)
        {
            return Named(Parse(jwks), kid);
        }

        if (jwksUri is not { } uri)
        {
            return [];
        }

        var known = fetched.Find(uri);
        if (known is not null
            && (Named(known.Keys, kid).Count > 0 || clock.GetUtcNow() < known.At + LookAgainAfter))
        {
            return Named(known.Keys, kid);
        }

        if (await outbound.GetAsync(uri, FetchRules.Json, stop) is FetchOutcome.Answered answer)
        {
            known = new(Parse(Encoding.UTF8.GetString(answer.Body.Span)), clock.GetUtcNow());
            fetched.Keep(uri, known, answer.FreshFor);
        }

        return known is not null ? Named(known.Keys, kid) : [];
    }

    private static IReadOnlyList<SecurityKey> Named(IReadOnlyList<SecurityKey> keys, string? kid) =>
        string.IsNullOrEmpty(kid) ? keys : [.. keys.Where(key => key.KeyId == kid)];

    private static IReadOnlyList<SecurityKey> Parse(string jwks)
    {
        try
        {
            var keys = new JsonWebKeySet(jwks).GetSigningKeys();
            return [.. keys.Where(key => key is not SymmetricSecurityKey).Take(MaxKeys)];
        }
        catch (ArgumentException)
        {
            return [];
        }
    }

    private sealed record Fetched(IReadOnlyList<SecurityKey> Keys, DateTimeOffset At);
}
