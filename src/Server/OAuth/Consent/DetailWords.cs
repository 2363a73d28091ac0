using System.Globalization;
using Postern.Platform.Pages;
using Postern.Servers;

namespace Postern.OAuth.Consent;

/// <summary>
/// Authorization details as people read them, before they agree and afterwards. All of them are kept: what cannot be
/// is not asked.
/// </summary>
internal static class DetailWords
{
    private const int MostNamed = 5;

    /// <param name="details">What is asked for, or was agreed to.</param>
    /// <param name="server">Where.</param>
    /// <param name="spent">What was spent, by the places of details; null where nothing can have been.</param>
    public static IReadOnlyList<string> Of(
        Details? details, McpServer? server, IReadOnlyDictionary<long, decimal>? spent = null) =>
    [
        .. (details?.All ?? []).Index()
            .Select(one => Of(one.Item, server) + OfRest(one.Item, spent, one.Index)).Where(text => text is not ""),
    ];

    private static string? Of(Detail detail, McpServer? server) => detail.Type switch
    {
        Detail.McpTool => OfTools(detail),
        Detail.Spend => $"{Payers(detail, server)}{OfMoney(detail)}. We refuse whatever goes beyond.",
        Detail.Egress => $"Its tools may call {Same(detail, "upstream")} by {Texts(detail, "methods")} at "
            + $"{Texts(detail, "path_templates")}{About(detail, "data_labels")}. We refuse tools that call others.",
        _ => $"It may use these kinds of data: {Texts(detail, "datatypes")}{About(detail, "labels")}"
            + $"{Filtered(detail)}. We refuse tools that touch others.",
    };

    private static string Payers(Detail detail, McpServer? server)
    {
        var tools = server?.Declares.Keeping(detail) ?? [];
        var named = string.Join(", ", tools.Take(MostNamed).Select(Clean));
        return tools.Count switch
        {
            0 => "No tool here can spend now:",
            > MostNamed => $"With {named} and {PlainTime.Count(tools.Count - MostNamed, "other tool")} it may spend",
            _ => $"With {named} it may spend",
        };
    }

    private static string OfRest(Detail detail, IReadOnlyDictionary<long, decimal>? spent, long place) =>
        spent is null || detail.Most(Overrun.InAll) is not { } most || detail.Type is not Detail.Spend ? ""
        : $" {Number(Math.Max(0, most - spent.GetValueOrDefault(place)))} {Same(detail, "currency")} are left.";

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
            : " at most";
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

    private static string Texts(Detail detail, string name) =>
        string.Join(", ", ((Limit.Texts)detail.Limits[name]).Values.Select(Clean));

    private static string Same(Detail detail, string name) => Clean(((Limit.Same)detail.Limits[name]).Value);

    private static string Clean(string text) => Untrusted.Name(text) ?? "?";

    private static string Number(decimal number) => number.ToString("0.##########", CultureInfo.InvariantCulture);
}
