using System.Collections.Concurrent;
using Microsoft.IdentityModel.Tokens;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Keys;

namespace Postern.OAuth.OpenId;

/// <summary>The one reader of our own ID tokens, for every endpoint that takes them.</summary>
internal sealed class OwnIdTokens
{
    private readonly SigningKeys keys;
    private readonly TimeProvider clock;
    private readonly ConcurrentDictionary<TenantId, Lazy<IReadOnlyList<SecurityKey>>> published = new();

    public OwnIdTokens(SigningKeys keys, TimeProvider clock)
    {
        (this.keys, this.clock) = (keys, clock);
        keys.Follow(Hear);
    }

    /// <summary>Null for anything that is not an ID token of this issuer.</summary>
    public async ValueTask<OwnIdToken?> ReadAsync(Tenant tenant, string text) =>
        ForeignToken.Read(text) is { Typ: "jwt", Kid: not null } token
        && token.Text("iss") == tenant.Issuer
        && token.Text("aud") is { } client
        && token.Text("sub") is { } subject
        && await token.IsSignedByAsync(KeysOf(tenant.Id), [SigningKey.Es256, SigningKey.Rs256])
            ? new(client, subject, token.Text("sid"), IsOver(tenant, token))
            : null;

    private bool IsOver(Tenant tenant, ForeignToken token) =>
        token.TimeRefusal(clock.GetUtcNow(), tenant.AccessLifetime) is not null;

    // Read when they are first needed: most tenants get no ID token back, and each key holds memory outside.
    private IReadOnlyList<SecurityKey> KeysOf(TenantId tenant) => published.GetOrAdd(tenant, Lately).Value;

    private Lazy<IReadOnlyList<SecurityKey>> Lately(TenantId tenant) =>
        new(() => [.. new JsonWebKeySet(keys.Json(tenant)).GetSigningKeys()]);

    private void Hear(TenantId tenant)
    {
        if (keys.Published(tenant) is [])
        {
            published.TryRemove(tenant, out _);
        }
        else
        {
            published[tenant] = Lately(tenant);
        }
    }
}
