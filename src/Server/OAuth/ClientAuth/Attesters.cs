using Postern.Platform.Configuration;
using Postern.Platform.Tenants;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Believes the attestations of those whom an operator trusts to know the copies of a client. Keys come from the
/// configuration alone, and an attester vouches for the clients it is named for.
/// </summary>
internal sealed class Attesters(Settings settings, TenantBook tenants, ClientKeys keys, TimeProvider clock)
{
    /// <summary>What may sign an attestation, and a proof of its key: nothing that two share.</summary>
    public static readonly string[] Algorithms = ["ES256", "PS256", "RS256"];

    /// <summary>
    /// Whether anybody is trusted now. Clients of the configuration are not known at other tenants; one that is its
    /// metadata document is the same everywhere, and so are its copies.
    /// </summary>
    public bool Any(TenantId tenant) => settings.TrustedAttesters.Any(one =>
        one.IsEnabled && (tenant == tenants.Default.Id || one.Clients.Any(client => new ClientId(client).IsDocument)));

    /// <summary>Why an attestation is not believed of this client; null when it is.</summary>
    public async ValueTask<OAuthError?> RefusalAsync(
        Tenant tenant, Client client, Attestation attestation, CancellationToken stop)
    {
        var issuer = attestation.Token.Text("iss");
        var trusted = settings.TrustedAttesters.Where(one =>
            one.IsEnabled && one.Clients.Contains(client.Id.Value)
            && (issuer ?? one.Issuer) == one.Issuer);
        foreach (var attester in trusted)
        {
            var known = await keys.FindAsync(attester.Jwks, attester.JwksUri, attestation.Token.Kid, stop);
            if (await attestation.Token.IsSignedByAsync(known, Algorithms))
            {
                return TimeRefusal(attestation.Token, attester.Lifetime);
            }
        }

        return Invalid("not signed by an attester of this client");
    }

    /// <summary>
    /// Of everything that is wrong with an attestation or its proof. Which client there is, and how it proves itself,
    /// cannot be told from it.
    /// </summary>
    public static OAuthError Invalid(string reason) =>
        new("invalid_client_attestation", "The attestation, or the proof of its key, is not good here.", 401)
        {
            Reason = $"attestation: {reason}",
        };

    private OAuthError? TimeRefusal(ForeignToken token, TimeSpan life)
    {
        var now = clock.GetUtcNow();
        var isFresh = token.At("exp") > now
            && (token.At("iat") is { } made ? made > now - life : token.At("exp") <= now + life);
        return (token.At("nbf") ?? token.At("iat")) > now + ForeignToken.Skew ? Invalid("from the future")
            : isFresh ? null
            : new OAuthError("use_fresh_attestation", "The attestation is too old; get another one.");
    }
}
