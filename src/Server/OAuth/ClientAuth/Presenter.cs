using Postern.AspNetCore.AccessTokens;
using Postern.Grants;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Who stands at an endpoint (RFC 7800 §2): a client that has proven itself as it is registered, at one tenant.
/// </summary>
/// <param name="Tenant">The tenant it stands at; nothing of another is ever looked at for it.</param>
/// <param name="Client">The client.</param>
/// <param name="Network">Where it comes from, for the log and for telling a repeat from a theft.</param>
internal sealed record Presenter(Tenant Tenant, Client Client, string Network)
{
    /// <summary>By what a workload has proven itself, which is its grant too.</summary>
    public Assertion? Assertion { get; init; }

    /// <summary>What it has proven to hold with this request; null when it proved nothing.</summary>
    public Holder? Holder { get; init; }

    /// <summary>
    /// The key of the copy of the client that it is, for one that proved itself as a copy: an attester vouches for it,
    /// and what is kept for it is kept for that copy. Null for others.
    /// </summary>
    public string? Instance { get; init; }

    /// <summary>
    /// RFC 9449 §5: who proves itself otherwise may change its key; a public client is known by its key alone, and a
    /// copy of a client by the key it was attested with.
    /// </summary>
    /// <param name="asked">A digest of what is asked for.</param>
    /// <param name="keptAs">What an access token is to be called whose refresh token stays.</param>
    public Hand HandFor(string asked, string? keptAs) =>
        new(Network, Holder, MayChangeKeys: !Client.IsPublic && Instance is null, asked)
        {
            KeptAs = Client.IsPublic ? null : keptAs,
            Instance = Instance,
        };

    /// <summary>
    /// Whether it may exchange a token for another: its own with what that is bound to, and one that it was sent with
    /// something of its own, so that nobody makes a bearer token of a bound one.
    /// </summary>
    public bool MayExchange(AccessToken token) =>
        HolderOf(token) is not { } bound
        || (Holder is not null && (token.ClientId != Client.Id.Value || Holder == bound));

    private static Holder? HolderOf(AccessToken token) => token switch
    {
        { KeyThumbprint: { } key } => Holder.OfKey(key),
        { CertificateThumbprint: { } certificate } => Holder.OfCertificate(certificate),
        _ => null,
    };
}
