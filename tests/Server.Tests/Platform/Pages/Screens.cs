using Microsoft.Playwright;

namespace Postern.Tests.Platform.Pages;

/// <summary>Keeps what the browser shows when SCREENS names a folder: a picture is how a page is judged.</summary>
internal static class Screens
{
    public static async Task SaveAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("SCREENS") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png"), FullPage = true });
        }
    }
}
