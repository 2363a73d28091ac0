namespace Postern.Identity.Sessions;

/// <summary>
/// A browser as its owner would call it, from what it says of itself. A label for people, never evidence.
/// </summary>
internal static class DeviceName
{
    // In this order: most browsers also claim to be the ones before them.
    private static readonly (string Sign, string Name)[] Browsers =
    [
        ("Edg", "Edge"), ("OPR/", "Opera"), ("Vivaldi", "Vivaldi"), ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"),
    ];

    private static readonly (string Sign, string Name)[] Systems =
    [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"), ("Windows", "Windows"),
        ("Mac OS X", "Mac"), ("Linux", "Linux"),
    ];

    public static string Of(string? userAgent)
    {
        var text = userAgent ?? "";
        var (browser, system) = (Match(Browsers, text) ?? "A browser", Match(Systems, text));
        return system is null ? browser : $"{browser} on {system}";
    }

    private static string? Match((string Sign, string Name)[] known, string text) =>
        Array.Find(known, pair => text.Contains(pair.Sign, StringComparison.Ordinal)).Name;
}
