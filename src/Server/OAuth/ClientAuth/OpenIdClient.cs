using System.Text.Json.Nodes;
using Postern.Platform.Keys;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// What a client registered as a relying party (OpenID Connect Dynamic Client Registration §2; RP-Initiated Logout
/// §3.1; Back-Channel Logout §2.2).
/// </summary>
internal sealed record OpenIdClient
{
    /// <summary>A client that says nothing of it.</summary>
    public static readonly OpenIdClient None = new();

    /// <summary>What ID tokens and UserInfo answers are signed with.</summary>
    public static readonly string[] Algorithms = [SigningKey.Rs256, SigningKey.Es256];

    public string IdTokenAlgorithm { get; init; } = SigningKey.Rs256;

    /// <summary>Null for plain JSON.</summary>
    public string? UserInfoAlgorithm { get; init; }

    /// <summary>Whose clients know a person by one name (Core §8.1); null for one name everywhere.</summary>
    public string? Sector { get; init; }

    public string? SectorIdentifierUri { get; init; }

    public IReadOnlyList<string> PostLogoutRedirectUris { get; init; } = [];

    public string? BackchannelLogoutUri { get; init; }

    public bool NeedsSid { get; init; }

    /// <summary>Seconds.</summary>
    public long? DefaultMaxAge { get; init; }

    public bool RequiresAuthTime { get; init; }

    public IReadOnlyList<string> DefaultAcrValues { get; init; } = [];

    public string? InitiateLoginUri { get; init; }

    public string? LogoUri { get; init; }

    public string? PolicyUri { get; init; }

    public string? TermsUri { get; init; }

    /// <summary>Reads the members of a registration or a document.</summary>
    public static OpenIdClient Read(MetadataMembers members, IReadOnlyList<string> redirectUris)
    {
        if (!OpenIdMembers.All.Any(members.Has))
        {
            return None;
        }

        var sectorUri = members.Url("sector_identifier_uri");
        var type = members.OneOf("subject_type", ["public", "pairwise"]);
        return new()
        {
            IdTokenAlgorithm = members.OneOf("id_token_signed_response_alg", Algorithms) ?? SigningKey.Rs256,
            UserInfoAlgorithm = members.OneOf("userinfo_signed_response_alg", Algorithms),
            Sector = type is "pairwise" ? SectorOf(sectorUri, redirectUris, members.Refuse) : null,
            SectorIdentifierUri = sectorUri,
            PostLogoutRedirectUris = members.List("post_logout_redirect_uris", RedirectUris.MaxLength) ?? [],
            BackchannelLogoutUri = members.Url("backchannel_logout_uri"),
            NeedsSid = members.Flag("backchannel_logout_session_required"),
            DefaultMaxAge = members.Count("default_max_age"),
            RequiresAuthTime = members.Flag("require_auth_time"),
            DefaultAcrValues = members.List("default_acr_values") ?? [],
            InitiateLoginUri = members.Url("initiate_login_uri"),
            LogoUri = members.Url("logo_uri"),
            PolicyUri = members.Url("policy_uri"),
            TermsUri = members.Url("tos_uri"),
        };
    }

    /// <summary>
    /// The host that a person's name is for (Core §8.1): that of the list the client publishes, or the only one that
    /// answers go to.
    /// </summary>
    public static string? SectorOf(string? sectorUri, IReadOnlyList<string> redirectUris, Action<string> refuse)
    {
        var hosts = (sectorUri is null ? redirectUris : [sectorUri])
            .Select(uri => Uri.TryCreate(uri, UriKind.Absolute, out var parsed) ? parsed.IdnHost : "")
            .Distinct(StringComparer.Ordinal)
            .ToList();
        if (hosts is [{ Length: > 0 } only])
        {
            return only;
        }

        refuse("subject_type pairwise with redirect_uris of several hosts needs a sector_identifier_uri.");
        return null;
    }

    /// <summary>The members as they are answered to who registers (RFC 7591 §3.2.1); null for none.</summary>
    public JsonObject? ToJson() => ReferenceEquals(this, None) ? null : OpenIdMembers.Write(this);
}
