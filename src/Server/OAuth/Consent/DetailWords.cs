using System.Globalization;
using Postern.Platform.Pages;

namespace Postern.OAuth.Consent;

/// <summary>
/// Authorization details as people read them. What the gateway keeps is said as a fact; what it can only pass on is
/// said to be that.
/// </summary>
internal static class DetailWords
{
    public static IReadOnlyList<string> Of(Details? details, string server) =>
        [.. (details?.All ?? []).Select(detail => Of(detail, server)).OfType<string>()];

    private static string? Of(Detail detail, string server) => detail.Type switch
    {
        Detail.McpTool => OfTools(detail),
        "spend" => $"It asks to spend{OfMoney(detail)}. {PassedOn(server)}",
        "egress" => $"It asks to call {Same(detail, "upstream")} in your name: {Texts(detail, "methods")} on "
            + $"{Texts(detail, "path_templates")}{About(detail, "data_labels")}. {PassedOn(server)}",
        _ => $"It asks for data of these kinds: {Texts(detail, "datatypes")}{About(detail, "labels")}"
            + $"{Filtered(detail)}. {PassedOn(server)}",
    };

    // Without limits the boxes say it all.
    private static string? OfTools(Detail detail)
    {
        string[] limits =
        [
            .. detail.Arguments.Select(argument => $"only with {Clean(argument.Name)} {Values(argument.Limit)}"),
            .. detail.Rate is { } rate
                ? [$"at most {PlainTime.Count((int)rate.Calls, "time")} in a {rate.Word}"]
                : Array.Empty<string>(),
        ];
        return limits is []
            ? null
            : $"{string.Join(", ", detail.Actions!.Select(Clean))}: {string.Join("; ", limits)}.";
    }

    private static string OfMoney(Detail detail)
    {
        var currency = Same(detail, "currency");
        var once = detail.Limits.GetValueOrDefault("max_per_tx") is Limit.Range one
            ? $" at most {Number(one.Most)} {currency} at a time and"
            : "";
        var until = detail.Limits.GetValueOrDefault("valid_until") is Limit.Until end
            ? $", until {PlainTime.Exact(end.At)}"
            : "";
        var total = Number(((Limit.Range)detail.Limits["max_total"]).Most);
        var at = detail.Limits.ContainsKey("merchants") ? $", at {Texts(detail, "merchants")}" : "";
        return $"{once} {total} {currency} in all{at}{until}";
    }

    private static string Values(Limit limit) => limit switch
    {
        Limit.Texts { Values: var values } => string.Join(
            " or ", values.Select(value => Clean(value is ['s' or 'n', .. var plain] ? plain : value))),
        Limit.Range { Least: decimal.MinValue, Most: var most } => $"up to {Number(most)}",
        Limit.Range { Least: var least, Most: decimal.MaxValue } => $"from {Number(least)}",
        Limit.Range { Least: var least, Most: var most } => $"from {Number(least)} to {Number(most)}",
        _ => "",
    };

    private static string About(Detail detail, string name) =>
        detail.Limits.ContainsKey(name) ? $", labelled {Texts(detail, name)}" : "";

    private static string Filtered(Detail detail) =>
        detail.Limits.ContainsKey("row_filter_ref") ? $", through the filter {Same(detail, "row_filter_ref")}" : "";

    private static string PassedOn(string server) => $"We pass this on; only {server} can keep to it.";

    private static string Texts(Detail detail, string name) =>
        string.Join(", ", ((Limit.Texts)detail.Limits[name]).Values.Select(Clean));

    private static string Same(Detail detail, string name) => Clean(((Limit.Same)detail.Limits[name]).Value);

    private static string Clean(string text) => Untrusted.Name(text) ?? "?";

    private static string Number(decimal number) => number.ToString("0.##########", CultureInfo.InvariantCulture);
}
