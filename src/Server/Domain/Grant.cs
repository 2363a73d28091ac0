using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Domain;

/// <summary>
/// Who lets whom do what, where, until when. Every token is minted from one, every call is judged by one, and what is
/// revoked is one. The record is plain data; only the room Grants writes and loads it.
/// </summary>
public sealed record Grant
{
    // With the instance it was made of: a copy by `with` carries the field along and must not believe it.
    private Tuple<Grant, string>? hash;

    public required GrantId Id { get; init; }

    public required TenantId Tenant { get; init; }

    /// <summary>The person who agreed; the client itself when <see cref="IsOwn"/>.</summary>
    public required SubjectId Subject { get; init; }

    /// <summary>The client acts as itself, by an operator's word (client credentials).</summary>
    public required bool IsOwn { get; init; }

    public required ClientId Client { get; init; }

    /// <summary>The name people saw when they agreed. The client chose it: it proves nothing.</summary>
    public required string ClientName { get; init; }

    public InstallationId? Installation { get; init; }

    /// <summary>The copy as people know it: <c>Chrome on Linux</c>.</summary>
    public string? InstallationName { get; init; }

    /// <summary>The one audience of its tokens (RFC 8707).</summary>
    public required Resource Resource { get; init; }

    public required Scopes Scopes { get; init; }

    /// <summary>
    /// The tools agreed to: those that <see cref="Details"/> name, or else what is said here. Null when all of the
    /// scopes' classes were, because none could be shown.
    /// </summary>
    public IReadOnlyList<string>? Tools
    {
        get => Details?.Tools ?? field;
        init;
    }

    /// <summary>
    /// What was asked for and agreed to beyond tools, or with limits on them (RFC 9396); null when it was tools alone.
    /// </summary>
    public Details? Details { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>When the person last proved who they are, before agreeing.</summary>
    public DateTimeOffset? AuthTime { get; init; }

    /// <summary>How strongly they did: one of <see cref="Domain.Acr.All"/>.</summary>
    public string? Acr { get; init; }

    /// <summary>The browser session it was agreed to in.</summary>
    public string? Session { get; init; }

    /// <summary>What the client calls that session.</summary>
    public string? Sid { get; init; }

    /// <summary>What the client asked for one by one, beyond its scopes; null for nothing.</summary>
    public ClaimsWanted? Claims { get; init; }

    /// <summary>
    /// What the client's metadata was when the person agreed; null for a client that an operator vouches for.
    /// </summary>
    public string? ClientHash { get; init; }

    /// <summary>
    /// The issuer whose assertion stood for the agreement; null when the person or an operator agreed here.
    /// </summary>
    public string? ApprovedBy { get; init; }

    /// <summary>The grant it was passed on from; it ends with that one. Null for one of its own.</summary>
    public GrantId? Parent { get; init; }

    /// <summary>Where the chain of <see cref="Parent"/> begins.</summary>
    public GrantId? Root { get; init; }

    /// <summary>
    /// Who acts for the subject, the one who presents its tokens first, those who passed it on behind; empty when the
    /// client acts for the subject directly (RFC 8693 §4.1).
    /// </summary>
    public IReadOnlyList<ActingParty> Actors { get; init; } = [];

    /// <summary>What this grant allows, as one value: the authority that an entry of the log names.</summary>
    public string Hash
    {
        get
        {
            if (hash is not { } known || !ReferenceEquals(known.Item1, this))
            {
                hash = known = Tuple.Create(this, Digest());
            }

            return known.Item2;
        }
    }

    /// <summary>It tells who the person is, and allows nothing else.</summary>
    public bool IsIdentity => Scopes.Has(Scopes.OpenId) && !Risks.All.Any(risk => Scopes.Has(risk.Scope));

    public bool IsLive(DateTimeOffset now) => RevokedAt is null && now < ExpiresAt;

    /// <summary>Whether a tool of this class may be called by it.</summary>
    public bool Allows(string tool, Risk risk) => Scopes.Has(risk.Scope) && (Tools is null || Tools.Contains(tool));

    private string Digest()
    {
        var tools = Tools is null ? "*" : string.Join('\t', Tools);
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{Id}\n{Subject}\n{Client}\n{Resource}\n{Scopes}\n{tools}\n{Details}{(Details is null ? "" : "\n")}"
                + $"{ExpiresAt.ToUnixTimeSeconds()}");
        text += string.Concat(Actors.Select(actor => $"\n{actor}"));
        return "sha-256:" + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
