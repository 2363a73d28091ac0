namespace Postern.Platform.Configuration;

/// <summary>
/// What the access tokens of a server are to be like, in the words of an operator; what is left out is as everywhere.
/// </summary>
internal sealed record TokenRules(string? Lifetime = null, string? Format = null, bool StatusList = false)
{
    private const string Spans = "a duration from 1m to 1h", Forms = "jwt or opaque";

    private static readonly TimeSpan Least = TimeSpan.FromMinutes(1), Most = TimeSpan.FromHours(1);

    public static TokenRules Read(SettingsNode node) => new(
        node.Value<string?>(
            "lifetime", "How long its access tokens are good.", null, Spans, text => IsSpan(text) ? text : null),
        node.Value(
            "format",
            "Signed tokens that say what they are for, or references that are asked about.",
            "jwt",
            Forms,
            text => IsForm(text) ? text : null),
        node.Flag("status_list", "Its tokens say where it is published whether they still stand.", false));

    /// <summary>What is wrong with them; null when nothing is.</summary>
    public string? Refuse() => this switch
    {
        { Lifetime: { } span } when !IsSpan(span) => $"`token.lifetime` must be {Spans}.",
        { Format: { } form } when !IsForm(form) => $"`token.format` must be {Forms}.",
        _ => null,
    };

    private static bool IsSpan(string text) => Durations.Parse(text) is { } span && span >= Least && span <= Most;

    private static bool IsForm(string text) => text is "jwt" or "opaque";
}
