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
    /// The key of the copy of the client that it is, by whatever else it proved itself: an attester vouches for it, and
    /// what is kept for it is kept for that copy. As it is stored (<see cref="InstanceOf"/>); empty where nobody does.
    /// </summary>
    public string Instance { get; init; } = "";

    /// <summary>
    /// RFC 9449 §5: who proves itself otherwise may change its key, but not leave it out; a public client is known by
    /// its key alone. A copy of a client stays the copy it was.
    /// </summary>
    /// <param name="asked">A digest of what is asked for.</param>
    /// <param name="keptAs">What an access token is to be called whose refresh token stays.</param>
    public Hand HandFor(string asked, string? keptAs) =>
        new(Network, Holder, IsKnownOtherwise: !Client.IsPublic, asked)
        {
            KeptAs = Client.IsPublic ? null : keptAs,
            Instance = Instance,
        };

    /// <summary>
    /// What it has proven to hold, each as it is stored: the key of its copy first. What is bound to one of them is
    /// good with that one alone.
    /// </summary>
    public IReadOnlyList<string> Held =>
    [
        .. Instance is "" ? (string[])[] : [Instance],
        .. Holder is null ? (string[])[] : [Holder.ToString()],
    ];

    /// <summary>What is made for it now, and fetched later, is bound to all of these; null for nothing.</summary>
    public string? Binding => Held is { Count: > 0 } held ? string.Join(' ', held) : null;

    /// <summary>Whether it holds all that something was bound to.</summary>
    public bool Holds(string binding) => binding.Split(' ').All(Held.Contains);

    /// <summary>How the key of a copy is stored: it is told from one that tokens are bound to.</summary>
    public static string InstanceOf(string thumbprint) => $"instance:{thumbprint}";

    /// <summary>Anybody could stand there: it has proven nothing, or no operator knows whose proof that is.</summary>
    public bool IsStranger => Client.IsPublic || !Client.IsVouchedFor;

    /// <summary>
    /// Whether it may exchange a token for another: one that is bound with what it is bound to. Where an operator says
    /// so, also one that was shown to it and is bound to another's key, for one that is bound to something of its own:
    /// nobody makes a bearer token of a bound one.
    /// </summary>
    public bool MayExchange(AccessToken token) =>
        HolderOf(token) is not { } bound || Holder == bound || (Holder is not null && MayHandOn(token));

    /// <summary>Whether it may go on with a token of another client, whatever that is bound to.</summary>
    public bool MayHandOn(AccessToken token) =>
        HolderOf(token) is null || (Client.ExchangesBoundTokens && token.ClientId != Client.Id.Value);

    private static Holder? HolderOf(AccessToken token) => token switch
    {
        { KeyThumbprint: { } key } => Holder.OfKey(key),
        { CertificateThumbprint: { } certificate } => Holder.OfCertificate(certificate),
        _ => null,
    };
}
