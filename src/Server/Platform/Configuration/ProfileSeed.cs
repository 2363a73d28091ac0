namespace Postern.Platform.Configuration;

/// <summary>How strictly a client named in the configuration is held, beyond what everybody is.</summary>
internal sealed record ProfileSeed
{
    /// <summary>The FAPI 2.0 Security Profile.</summary>
    public required bool IsFapi2 { get; init; }

    /// <summary>How long its refresh tokens may rest; null for as long as its tenant's.</summary>
    public required TimeSpan? RefreshIdle { get; init; }

    /// <summary>The longest it can be let in for; null for as long as its tenant says.</summary>
    public required TimeSpan? RefreshAbsolute { get; init; }

    public static ProfileSeed Read(SettingsNode node) => new()
    {
        IsFapi2 = node.Value<string>(
            "profile",
            "Holds it to the FAPI 2.0 Security Profile: keys instead of secrets, pushed requests, bound tokens.",
            null,
            "fapi2",
            text => text is "fapi2" ? text : null) is not null,
        RefreshIdle = Span(
            node,
            "refresh_idle",
            "How long its refresh tokens may rest, if shorter than `tokens.refresh_idle`.",
            TimeSpan.FromMinutes(10),
            TimeSpan.FromDays(365)),
        RefreshAbsolute = Span(
            node,
            "refresh_absolute",
            "The longest a person can let it in for, if shorter than `tokens.refresh_absolute`.",
            TimeSpan.FromHours(1),
            TimeSpan.FromDays(730)),
    };

    private static TimeSpan? Span(SettingsNode node, string key, string what, TimeSpan least, TimeSpan most) =>
        node.Value<object>(
            key,
            what,
            null,
            $"a duration from {Durations.Format(least)} to {Durations.Format(most)}",
            text => Durations.Parse(text) is { } span && span >= least && span <= most ? span : null) as TimeSpan?;
}
