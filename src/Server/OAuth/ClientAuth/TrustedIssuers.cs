using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using Postern.Grants.Parties;
using Postern.Platform;
using Postern.Platform.Configuration;
using Postern.Platform.Outbound;
using Postern.Platform.Tenants;

namespace Postern.OAuth.ClientAuth;

/// <summary>An assertion that its issuer signed for us; what it may bring about is for the grant type to say.</summary>
internal sealed record Assertion(TrustedIssuer Issuer, ForeignToken Token);

/// <summary>
/// Believes the assertions of issuers that an operator trusts (RFC 7523 §3). What kind one is, is decided by its
/// <c>typ</c> and by what its issuer is trusted for, never by what claims it has.
/// </summary>
internal sealed class TrustedIssuers
{
    /// <summary>The <c>typ</c> of an identity provider's word for a person.</summary>
    public const string IdJag = "oauth-id-jag+jwt";

    private const int Capacity = 200, MaxText = 255;

    // What an authorization grant may call itself (rfc7523bis); every other kind of token names another purpose.
    private static readonly string?[] PlainTypes = [null, "jwt", "authorization-grant+jwt"];

    private static readonly string[] Places =
        ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

    private readonly Dictionary<string, TrustedIssuer> issuers;
    private readonly IReadOnlyList<AssertionAudienceSeed> audiences;
    private readonly TenantBook tenants;
    private readonly Switches switches;
    private readonly ClientKeys keys;
    private readonly SafeHttp outbound;
    private readonly Once once;
    private readonly TimeProvider clock;
    private readonly FetchCache<string> places;

    public TrustedIssuers(
        Settings settings,
        TenantBook tenants,
        Switches switches,
        ClientKeys keys,
        SafeHttp outbound,
        Once once,
        TimeProvider clock)
    {
        this.switches = switches;
        issuers = settings.TrustedIssuers.ToDictionary(
            seed => seed.Issuer, seed => new TrustedIssuer(seed, tenants.Default), StringComparer.Ordinal);
        (this.tenants, this.keys, this.outbound, this.once, this.clock) = (tenants, keys, outbound, once, clock);
        audiences = settings.AssertsTo;
        places = new(Capacity, clock);
        if (issuers.ContainsKey(tenants.Default.Issuer))
        {
            // ID-JAG §8.3: what we say of a person to others would bring about tokens here, beyond what was agreed to.
            throw new SetupException("`trusted_issuers[].issuer` is this server itself.");
        }
    }

    /// <summary>
    /// Whether another issuer may call somebody this: nothing in it is unseen or turns around what stands beside it in
    /// a token, the log or on a page, and it passes the database.
    /// </summary>
    public static bool IsName([NotNullWhen(true)] string? text) =>
        text is { Length: > 0 and <= MaxText } && !Unseen.IsIn(text);

    /// <summary>Whether any of this kind, or of all kinds, is trusted now. Which ones is nobody's business.</summary>
    public bool Has(TenantId tenant, IssuerKind? kind = null) =>
        tenant == tenants.Default.Id
        && issuers.Values.Any(issuer => IsOn(tenant, issuer) && (kind is null || issuer.Kind == kind));

    /// <summary>All of a tenant, also those that are off now, by their names.</summary>
    public IEnumerable<TrustedIssuer> All(TenantId tenant) => tenant == tenants.Default.Id
        ? issuers.Values.OrderBy(issuer => issuer.Name, StringComparer.Ordinal)
        : [];

    /// <summary>Those elsewhere who take a tenant's word for its people.</summary>
    public IReadOnlyList<AssertionAudienceSeed> Audiences(TenantId tenant) =>
        tenant == tenants.Default.Id ? audiences : [];

    private bool IsOn(TenantId tenant, TrustedIssuer issuer) =>
        issuer.IsEnabled && !switches.IsOff(new(tenant, PartyKind.IdentityProvider, issuer.Name));

    /// <summary>The issuer that an assertion says it is from, believed of nothing yet.</summary>
    private TrustedIssuer? Claimed(Tenant tenant, ForeignToken token) =>
        tenant.Id == tenants.Default.Id && token.Text("iss") is { } issuer
        && issuers.GetValueOrDefault(issuer) is { } found && IsOn(tenant.Id, found)
            ? found
            : null;

    /// <summary>Reads an assertion and checks all that can be checked without using it up.</summary>
    public async ValueTask<Result<Assertion>> ReadAsync(Tenant tenant, string text, CancellationToken stop)
    {
        if (ForeignToken.Read(text) is not { } token)
        {
            return OAuthError.InvalidGrant("assertion: malformed");
        }

        if (Claimed(tenant, token) is not { } issuer)
        {
            return OAuthError.InvalidGrant("assertion: not of an issuer that is trusted now");
        }

        if (Refusal(tenant, issuer, token) is { } refusal)
        {
            return OAuthError.InvalidGrant($"assertion: {refusal}");
        }

        return await token.IsSignedByAsync(await KeysAsync(issuer, token.Kid, stop), issuer.Algorithms)
            ? new Assertion(issuer, token)
            : OAuthError.InvalidGrant("assertion: not signed by its issuer");
    }

    /// <summary>
    /// Uses an assertion up; false when somebody has before. Not remembered for an issuer whose assertions are good
    /// until they expire.
    /// </summary>
    public async ValueTask<bool> UseAsync(Tenant tenant, Assertion assertion)
    {
        var (issuer, token) = (assertion.Issuer, assertion.Token);
        return !issuer.IsSingleUse || await once.TakeAsync(
            tenant.Id,
            "grant-assertion",
            $"{issuer.Name}\n{token.Text("jti")}",
            clock.GetUtcNow() + issuer.Lifetime + ForeignToken.Skew);
    }

    private string? Refusal(Tenant tenant, TrustedIssuer issuer, ForeignToken token) => token switch
    {
        { Typ: IdJag } when issuer.Kind is not IssuerKind.IdentityProvider => "its issuer is no identity provider",
        { Typ: not IdJag } when issuer.Kind is IssuerKind.IdentityProvider => "no ID-JAG",
        { Typ: var typ } when typ is not IdJag && !PlainTypes.Contains(typ) => "another kind of token",
        _ when !IsName(token.Text("sub")) => "no sub",
        _ when !issuer.IsAddressed(token, tenant) => "aud is not this server alone",
        _ when issuer.IsSingleUse && token.Text("jti") is not { Length: > 0 and <= MaxText } => "no jti",
        _ when token.At("iat") is null => "no iat",
        _ when !issuer.HasClaims(token) => "a claim is not as the configuration asks",
        _ => token.TimeRefusal(clock.GetUtcNow(), issuer.Lifetime),
    };

    private async ValueTask<IReadOnlyList<SecurityKey>> KeysAsync(
        TrustedIssuer issuer, string? kid, CancellationToken stop) =>
        issuer.Jwks is not null
            ? await keys.FindAsync(issuer.Jwks, null, kid, stop)
            : await keys.FindAsync(null, issuer.JwksUri ?? await PlaceAsync(issuer.Name, stop), kid, stop);

    // OpenID Discovery §4, RFC 8414 §3: the metadata must name the issuer it was asked for.
    private async ValueTask<string?> PlaceAsync(string issuer, CancellationToken stop)
    {
        if (places.Find(issuer) is { } known)
        {
            return known;
        }

        foreach (var place in Places)
        {
            var outcome = await outbound.GetAsync(issuer.TrimEnd('/') + place, FetchRules.Json, stop);
            if (outcome is FetchOutcome.Busy busy)
            {
                throw new NoRoomException(busy.RetryAfter);
            }

            if (outcome is FetchOutcome.Answered answer && KeysNamedIn(answer.Body, issuer) is { } found)
            {
                places.Keep(issuer, found, answer.FreshFor);
                return found;
            }
        }

        return null;
    }

    private static string? KeysNamedIn(ReadOnlyMemory<byte> metadata, string issuer)
    {
        try
        {
            using var document = JsonDocument.Parse(metadata);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("issuer", out var named) && named.ValueKind is JsonValueKind.String
                && named.ValueEquals(issuer)
                && root.TryGetProperty("jwks_uri", out var place) && place.ValueKind is JsonValueKind.String
                    ? place.GetString()
                    : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
