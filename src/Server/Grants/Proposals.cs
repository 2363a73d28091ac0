using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Platform.Keys;

namespace Postern.Grants;

/// <summary>A wish that came through a browser, with where its answer goes and what the person must do first.</summary>
internal sealed record Proposal : Wish
{
    public required string RedirectUri { get; init; }

    public string? State { get; init; }

    /// <summary>How the answer travels; null for the usual way.</summary>
    public string? ResponseMode { get; init; }

    /// <summary>RFC 7636 §4.2, always S256.</summary>
    public required string Challenge { get; init; }

    /// <summary>What the code is bound to (RFC 9449 §10); null for nothing.</summary>
    public string? Binding { get; init; }

    /// <summary>It was pushed, so it is good for one answer (RFC 9126 §7.3).</summary>
    public bool IsPushed { get; init; }

    /// <summary>The session of the browser when it was made; null when nobody was signed in.</summary>
    public string? Session { get; init; }

    /// <summary>The person must sign in again, after this was made.</summary>
    public bool NeedsFreshSignIn { get; init; }

    /// <summary>How long ago the person may have signed in, in seconds.</summary>
    public long? MaxAge { get; init; }

    /// <summary>Who must be the one, by the name that the client has for them.</summary>
    public string? Who { get; init; }

    /// <summary>The address the client believes the person signs in with.</summary>
    public string? LoginHint { get; init; }

    /// <summary>What the ID token must repeat.</summary>
    public string? Nonce { get; init; }

    /// <summary>The person is asked, even where an agreement stands.</summary>
    public bool NeedsConsent { get; init; }

    /// <summary>What <see cref="Agreed"/> says when a person said no.</summary>
    public const string Denied = "denied";

    /// <summary>The grant that a person has made of it, or <see cref="Denied"/>; null until somebody answers.</summary>
    public string? Agreed { get; init; }
}

/// <summary>
/// Carries proposals through the browser, so that nothing is stored before somebody agrees: sealed, bound to the
/// browser that began, and over after ten minutes.
/// </summary>
internal sealed partial class Proposals(Sealer sealer, TimeProvider clock)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>How long an answer is remembered: a pushed request can be opened twice, a minute apart.</summary>
    public static readonly TimeSpan Memory = Lifetime + TimeSpan.FromMinutes(2);

    /// <summary>Under which the answer to a proposal is remembered, by its identifier.</summary>
    public const string Answered = "consent";

    private const string Purpose = "proposal";

    // Sealed and read by us alone, so nothing needs the long escapes; a state
    // of 3000 quotation marks must fit an address.
    private static readonly ProposalJson Compact = new(
        new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <param name="tenant">Where it was proposed.</param>
    /// <param name="proposal">What to carry.</param>
    /// <param name="browser">The hash of the browser's cookie.</param>
    public string Seal(TenantId tenant, Proposal proposal, string browser) => sealer.Seal(
        tenant,
        Purpose,
        JsonSerializer.SerializeToUtf8Bytes(proposal, Compact.Proposal),
        Encoding.ASCII.GetBytes(browser));

    /// <summary>The proposal, if this browser began it here and it is not over; else null.</summary>
    public Proposal? Open(TenantId tenant, string? text, string? browser) =>
        text is not null && browser is not null
        && sealer.Open(tenant, Purpose, text, Encoding.ASCII.GetBytes(browser)) is { } plain
        && JsonSerializer.Deserialize(plain, ProposalJson.Default.Proposal) is { } proposal
        && clock.GetUtcNow().ToUnixTimeSeconds() < proposal.CreatedAt + (long)Lifetime.TotalSeconds
            ? proposal
            : null;

    [JsonSerializable(typeof(Proposal))]
    private sealed partial class ProposalJson : JsonSerializerContext;
}
