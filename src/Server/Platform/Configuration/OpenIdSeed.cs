using System.Globalization;

namespace Postern.Platform.Configuration;

/// <summary>
/// What an operator says of a client as a relying party; the names are those of OpenID Connect Dynamic Client
/// Registration §2.
/// </summary>
internal sealed record OpenIdSeed
{
    private static readonly string[] Algorithms = ["RS256", "ES256"];

    public required string? IdTokenAlgorithm { get; init; }

    public required string? UserInfoAlgorithm { get; init; }

    public required bool IsPairwise { get; init; }

    public required string? SectorIdentifierUri { get; init; }

    public required IReadOnlyList<string> PostLogoutRedirectUris { get; init; }

    public required string? BackchannelLogoutUri { get; init; }

    public required bool NeedsSid { get; init; }

    public required long? DefaultMaxAge { get; init; }

    public required IReadOnlyList<string> DefaultAcrValues { get; init; }

    public static OpenIdSeed Read(SettingsNode node) => new()
    {
        IdTokenAlgorithm = Algorithm(node, "id_token_signed_response_alg", "How its ID tokens are signed."),
        UserInfoAlgorithm = Algorithm(
            node,
            "userinfo_signed_response_alg",
            "How its UserInfo answers are signed; left out, they are plain JSON."),
        IsPairwise = node.Value<string>(
            "subject_type",
            "Whether it knows people by our name for them or by one of its own.",
            "public",
            "public or pairwise",
            text => text is "public" or "pairwise" ? text : null) is "pairwise",
        SectorIdentifierUri = node.Value<string>(
            "sector_identifier_uri",
            "The host that a pairwise name is for, when redirect_uris have several.",
            null,
            "an https URL",
            Https),
        PostLogoutRedirectUris = node.List(
            "post_logout_redirect_uris",
            "Where people may be sent after they signed out, exactly.",
            "a URI",
            text => text),
        BackchannelLogoutUri = node.Value<string>(
            "backchannel_logout_uri", "Where it is told that a session ended.", null, "an https URL", Https),
        NeedsSid = node.Flag(
            "backchannel_logout_session_required", "It wants to know which session ended; it is told always.", false),
        DefaultMaxAge = node.Value<string>(
            "default_max_age",
            "How long ago, in seconds, people may have signed in when it does not say.",
            null,
            "a number of seconds",
            text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? text : null)
            is { } age ? long.Parse(age, CultureInfo.InvariantCulture) : null,
        DefaultAcrValues = node.List(
            "default_acr_values",
            "How strongly people must have signed in when it does not say.",
            string.Join(" or ", Acr.All),
            text => Acr.All.Contains(text) ? text : null),
    };

    private static string? Algorithm(SettingsNode node, string key, string what) => node.Value<string>(
        key, what, null, string.Join(" or ", Algorithms), text => Algorithms.Contains(text) ? text : null);

    private static string? Https(string text) =>
        text.StartsWith("https://", StringComparison.Ordinal)
        && !text.Contains('#')
        && Uri.TryCreate(text, UriKind.Absolute, out _)
            ? text
            : null;
}
