using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Text.Json;
using Postern.AspNetCore;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;
using Postern.Grants.Parties;
using Postern.Platform.Keys;

namespace Postern.Grants;

/// <summary>
/// The one validator of our own access tokens, for every endpoint that takes them: signature, kind, issuer, audience,
/// time, whether the grant behind it is alive, and whether everybody in it may act.
/// </summary>
internal sealed class OwnTokens
{
    private readonly GrantBook grants;
    private readonly RevokedTokens revoked;
    private readonly HolderProofs proofs;
    private readonly Switches switches;
    private readonly ReferenceTokens references;
    private readonly SigningKeys keys;
    private readonly ConcurrentDictionary<TenantId, LocalKeys> published = new();
    private readonly ConcurrentDictionary<TenantId, AccessTokenValidator> validators = new();
    private readonly TimeProvider clock;

    public OwnTokens(
        SigningKeys keys,
        GrantBook grants,
        RevokedTokens revoked,
        HolderProofs proofs,
        Switches switches,
        ReferenceTokens references,
        TimeProvider clock)
    {
        (this.keys, this.grants, this.revoked, this.switches) = (keys, grants, revoked, switches);
        (this.proofs, this.references, this.clock) = (proofs, references, clock);
        keys.Follow(Hear);
    }

    /// <summary>What a tenant's own tokens are judged by.</summary>
    public AccessTokenValidator Validator(Tenant tenant) => validators.TryGetValue(tenant.Id, out var known)
        ? known
        : validators.GetOrAdd(tenant.Id, _ => Make(tenant));

    /// <summary>The grant behind a valid token, from memory.</summary>
    public ValueTask<Grant?> GrantAsync(TenantId tenant, AccessToken token, CancellationToken stop) =>
        token.GrantId is { } id ? grants.FindAsync(tenant, new(id), stop) : default;

    /// <summary>
    /// Judges the token of a request at an address of a tenant, together with the proof or certificate that it is bound
    /// to; null when there is none.
    /// </summary>
    public ValueTask<TokenOutcome?> JudgeAsync(
        HttpContext http,
        Tenant tenant,
        string resource,
        string url,
        bool requiresDpop = false,
        bool requiresCertificate = false) =>
        new RequestValidator(Validator(tenant), proofs.Validator) { RequiresCertificate = requiresCertificate }
            .ValidateAsync(http.Request, resource, url, requiresDpop, http.RequestAborted);

    /// <summary>
    /// A living token of ours, whoever brings it, for whatever resource it was made for; null for anything else.
    /// </summary>
    public async ValueTask<AccessToken?> ReadAsync(Tenant tenant, string token, CancellationToken stop) =>
        AudienceOf(await references.ClaimsAsync(tenant.Id, token, stop) ?? PayloadOf(token)) is { } audience
            ? await Validator(tenant).InspectAsync(token, audience, stop) as AccessToken
            : null;

    private void Hear(TenantId tenant)
    {
        if (keys.Published(tenant) is [])
        {
            published.TryRemove(tenant, out _);
            validators.TryRemove(tenant, out _);
        }
        else
        {
            KeysOf(tenant).Replace(KeySetOf(tenant));
        }
    }

    private LocalKeys KeysOf(TenantId tenant) => published.GetOrAdd(tenant, id => new(KeySetOf(id)));

    private AccessTokenValidator Make(Tenant tenant) => new(tenant.Issuer, KeysOf(tenant.Id), clock)
    {
        // Ended is ended; but a token of another node may come from a clock that is a little ahead of ours.
        ExpirySkew = TimeSpan.Zero,
        AuthorizationDetailTypes = Details.Types,
        References = (token, stop) => references.ClaimsAsync(tenant.Id, token, stop),
        Liveness = (token, stop) => WhyEndedAsync(tenant.Id, token, stop),
    };

    private ValueTask<string?> WhyEndedAsync(TenantId tenant, AccessToken token, CancellationToken stop)
    {
        if (revoked.Has(tenant, token.Id) || (token.Ancestors is not [] && CameFromRevoked(tenant, token)))
        {
            return new("handed back");
        }

        if (token.GrantId is not { } id)
        {
            return new("no grant");
        }

        var finding = grants.FindAsync(tenant, new(id), stop);
        return finding.IsCompletedSuccessfully ? WhyEndedAsync(finding.Result, stop) : WaitAsync(finding, stop);
    }

    // T074: what was made of a token by exchange ends with it.
    private bool CameFromRevoked(TenantId tenant, AccessToken token) =>
        token.Ancestors.Any(ancestor => revoked.Has(tenant, ancestor));

    private async ValueTask<string?> WaitAsync(ValueTask<Grant?> finding, CancellationToken stop) =>
        await WhyEndedAsync(await finding, stop);

    private ValueTask<string?> WhyEndedAsync(Grant? grant, CancellationToken stop) =>
        grant is not null && grant.IsLive(clock.GetUtcNow())
            ? switches.WhyOffAsync(grant, null, stop)
            : new("over or revoked");

    private static byte[]? PayloadOf(string token) =>
        token.Length <= AccessTokenValidator.MaxTokenLength
        && token.Split('.') is [_, var payload, _]
        && Base64Url.IsValid(payload)
            ? Base64Url.DecodeFromChars(payload)
            : null;

    // Not believed: it only says against which resource the token is to be judged.
    private static string? AudienceOf(byte[]? payload)
    {
        try
        {
            using var claims = payload is null ? null : JsonDocument.Parse(payload);
            return claims?.RootElement.ValueKind is JsonValueKind.Object
                && claims.RootElement.TryGetProperty("aud", out var audience)
                && audience.ValueKind is JsonValueKind.String
                    ? audience.GetString()
                    : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // The second for a text with half of a surrogate pair.
            return null;
        }
    }

    private KeySet KeySetOf(TenantId tenant) => KeySet.Parse(System.Text.Encoding.UTF8.GetBytes(keys.Json(tenant)));
}
