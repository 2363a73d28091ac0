using Microsoft.Extensions.Primitives;
using Postern.AspNetCore;
using Postern.Grants;
using Postern.Platform;
using Postern.Platform.Configuration;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Client authentication by attestation (draft-ietf-oauth-attestation-based-client-auth §7): an attester vouches for
/// the key of one copy of the client, and the copy proves that it holds it, by a statement for this server or by the
/// DPoP proof of the request.
/// </summary>
internal sealed class Attestations(
    Attesters attesters,
    PresenterProofs proofs,
    HolderProofs holders,
    Once once,
    Settings settings,
    TimeProvider clock)
{
    /// <summary>Tells a client what its next proof has to repeat (§6.2).</summary>
    public const string ChallengeHeader = "OAuth-Client-Attestation-Challenge";

    private const string ProofType = "oauth-client-attestation-pop+jwt";

    private const int MaxId = 256;

    /// <summary>What a proof made now has to repeat. The same is good as the nonce of a DPoP proof (§5.2).</summary>
    public string Challenge(Tenant tenant) => holders.Nonces.Current(tenant.Issuer);

    /// <summary>The presenter with the key of its copy of the client; or why it is not believed.</summary>
    public async ValueTask<Result<Presenter>> ProveAsync(
        HttpRequest http, Presenter presenter, Attestation attestation, CancellationToken stop)
    {
        var (tenant, client) = (presenter.Tenant, presenter.Client);
        if (await attesters.RefusalAsync(tenant, client, attestation, stop) is { } refusal)
        {
            return refusal;
        }

        // §7: the header of its own says which of the two it is; a client is registered for one of them.
        var proof = http.Headers[Attestation.ProofHeader];
        var method = proof.Count > 0 ? ClientMetadata.Attested : ClientMetadata.AttestedDpop;
        if (!client.AuthMethods.Contains(method))
        {
            return Attesters.Invalid("wrong method");
        }

        return await ByProofAsync(http, presenter, attestation, stop);
    }

    /// <summary>
    /// Looks at what came beside another method: it is right or refused, and says which copy this is (§9.3). Where
    /// nobody is trusted to attest, it says nothing.
    /// </summary>
    public async ValueTask<Result<Presenter>> BesideAsync(HttpRequest http, Presenter presenter, CancellationToken stop)
    {
        var (shown, tenant, client) = (http.Headers[Attestation.Header], presenter.Tenant, presenter.Client);
        if (shown.Count is 0 || !attesters.Any(tenant.Id))
        {
            return presenter;
        }

        if (shown is not [{ } text]
            || Attestation.Read(text) is not { } attestation || attestation.Client != client.Id.Value)
        {
            return Attesters.Invalid("not exactly one of this client");
        }

        return await attesters.RefusalAsync(tenant, client, attestation, stop) is { } refusal
            ? refusal
            : await ByProofAsync(http, presenter, attestation, stop);
    }

    private ValueTask<Result<Presenter>> ByProofAsync(
        HttpRequest http, Presenter presenter, Attestation attestation, CancellationToken stop) =>
        http.Headers[Attestation.ProofHeader] is { Count: > 0 } proof
            ? ByStatementAsync(http, presenter, attestation, proof)
            : ByDpopAsync(http, presenter, attestation, stop);

    private async ValueTask<Result<Presenter>> ByStatementAsync(
        HttpRequest http, Presenter presenter, Attestation attestation, StringValues header)
    {
        if (header is not [{ } text] || ForeignToken.Read(text) is not { Typ: ProofType } token)
        {
            return Attesters.Invalid("not exactly one proof");
        }

        if (Refusal(token, presenter) is { } refusal)
        {
            return Attesters.Invalid(refusal);
        }

        if (!await token.IsSignedByAsync([attestation.Key(token.Kid)], Attesters.Algorithms))
        {
            return Attesters.Invalid("the proof is not signed by the key");
        }

        if (token.Text("challenge") is not { } challenge
            || !holders.Nonces.IsGood(challenge, presenter.Tenant.Issuer, out var endsSoon))
        {
            return NeedsChallenge(http, presenter.Tenant);
        }

        // Last, so that only who holds the key makes us remember anything.
        var until = clock.GetUtcNow() + (2 * settings.DpopWindow);
        if (!await once.TakeAsync(
            presenter.Tenant.Id, "attestation", $"{attestation.Thumbprint}\n{token.Text("jti")}", until))
        {
            return Attesters.Invalid("the proof was used before");
        }

        if (endsSoon)
        {
            Offer(http, presenter.Tenant);
        }

        return presenter with { Instance = Presenter.InstanceOf(attestation.Thumbprint) };
    }

    // §7.3: the one proof is that of the request, and the nonce in it is the challenge.
    private async ValueTask<Result<Presenter>> ByDpopAsync(
        HttpRequest http, Presenter presenter, Attestation attestation, CancellationToken stop)
    {
        if (http.Headers[RequestValidator.ProofHeader].Count is not 1)
        {
            return Attesters.Invalid("not exactly one proof");
        }

        if ((await proofs.ProveAsync(http, presenter, stop, requiresNonce: true)).Failed(out var error, out var proven))
        {
            return error.Code is "use_dpop_nonce" ? NeedsChallenge(http, presenter.Tenant) : error;
        }

        return proven.Holder?.Thumbprint == attestation.Thumbprint
            ? proven with { Instance = Presenter.InstanceOf(attestation.Thumbprint) }
            : Attesters.Invalid("the proof is by another key");
    }

    private string? Refusal(ForeignToken token, Presenter presenter)
    {
        var now = clock.GetUtcNow();
        return token switch
        {
            _ when !token.IsOnlyFor(presenter.Tenant.Issuer) => "aud is not this issuer alone",
            // Drafts before named who made it. Where it is named, it is this client.
            _ when !MayName(token, "iss", presenter.Client.Id) || !MayName(token, "sub", presenter.Client.Id) =>
                "made for another client",
            _ when token.Text("jti") is not { Length: > 0 and <= MaxId } => "no jti",
            _ when token.At("iat") is not { } made || (now - made).Duration() > settings.DpopWindow =>
                "iat is missing, too long ago or ahead",
            _ when token.At("exp") <= now || token.At("nbf") > now + ForeignToken.Skew => "not good now",
            _ => null,
        };
    }

    private static bool MayName(ForeignToken token, string member, ClientId client) =>
        !token.Claims.TryGetProperty(member, out _) || token.Text(member) == client.Value;

    private OAuthError NeedsChallenge(HttpRequest http, Tenant tenant)
    {
        Offer(http, tenant);
        return new("use_attestation_challenge", "The proof must repeat the challenge of this server.");
    }

    private void Offer(HttpRequest http, Tenant tenant) =>
        http.HttpContext.Response.Headers[ChallengeHeader] = Challenge(tenant);
}
