using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Postern.Tests.Platform.Pages;

/// <summary>One Chromium for a class of tests; every context in it is a fresh browser without memory.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private IPlaywright? playwright;
    private IBrowser? browser;

    public async ValueTask InitializeAsync()
    {
        Assertions.SetDefaultExpectTimeout(30_000);
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = "/usr/bin/chromium",
            Args =
            [
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        });
    }

    /// <param name="width">Of the window.</param>
    /// <param name="scheme">What its person prefers.</param>
    /// <param name="scripts">Whether scripts run.</param>
    /// <param name="agent">What it says it is; Chrome on Linux unless told.</param>
    /// <param name="like">The cookies of another context, as it keeps them.</param>
    public Task<IBrowserContext> ContextAsync(
        int width = 1280,
        ColorScheme scheme = ColorScheme.Light,
        bool scripts = true,
        string? agent = null,
        string? like = null) =>
        browser!.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = 900 },
            ColorScheme = scheme,
            JavaScriptEnabled = scripts,
            UserAgent = agent,
            StorageState = like,
        });

    public async ValueTask DisposeAsync()
    {
        await browser!.DisposeAsync();
        playwright!.Dispose();
    }
}

public static class Arrivals
{
    /// <summary>
    /// Waits until the page is at <paramref name="address"/>, in which <c>*</c> is anything. Not for its <c>load</c>
    /// event: one that fires while the address is being compared is never seen, and what follows waits by itself.
    /// </summary>
    public static Task ArrivesAtAsync(this IPage page, string address)
    {
        var pattern = Regex.Escape(address).Replace(@"\*", ".*", StringComparison.Ordinal);
        return Assertions.Expect(page).ToHaveURLAsync(
            new Regex($"^{pattern}$", RegexOptions.None, TimeSpan.FromSeconds(1)));
    }
}
