using System.Collections.Concurrent;
using AngleSharp.Html.Parser;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Postern.Tests.Platform.Pages;

/// <summary>What holds for every page, whatever it shows.</summary>
public sealed class PageTests(Gallery gallery, Chromium chromium) : IClassFixture<Gallery>, IClassFixture<Chromium>
{
    private static readonly (int Width, ColorScheme Scheme)[] Looks =
        [(390, ColorScheme.Dark), (1280, ColorScheme.Light)];

    public static TheoryData<string> Names => Gallery.Names;

    [Theory, MemberData(nameof(Names))]
    public async Task A_page_is_accessible_in_light_and_dark_on_phone_and_desktop(string name)
    {
        foreach (var (width, scheme) in Looks)
        {
            await using var context = await chromium.ContextAsync(width, scheme);
            var page = await context.NewPageAsync();
            await page.GotoAsync($"{gallery.Address}{name}");
            await LooksRightAsync(page, $"{name} at {width}");
        }
    }

    /// <summary>Nothing seriously wrong for assistive technology, and nothing wider than the window.</summary>
    internal static async Task LooksRightAsync(IPage page, string what)
    {
        var found = await page.RunAxe();
        Assert.DoesNotContain(found.Violations, violation => violation.Impact is "serious" or "critical");
        var overflow = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth");
        Assert.True(overflow <= 0, $"{what} is {overflow} pixels too wide.");
    }

    [Theory, MemberData(nameof(Names))]
    [Rfc(6749, "10.13"), Rfc(9700, "4.16")]
    public async Task A_page_is_closed_to_everything_foreign(string name)
    {
        using var http = new HttpClient { BaseAddress = gallery.Address };
        using var answer = await http.GetAsync(new Uri(name, UriKind.Relative));
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();

        Assert.StartsWith("default-src 'none';", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.DoesNotContain("unsafe", policy);
        Assert.Equal(["DENY"], answer.Headers.GetValues("X-Frame-Options"));
        Assert.Equal(["same-origin"], answer.Headers.GetValues("Cross-Origin-Opener-Policy"));
        Assert.Equal(["nosniff"], answer.Headers.GetValues("X-Content-Type-Options"));
        Assert.Equal(["no-referrer"], answer.Headers.GetValues("Referrer-Policy"));
        Assert.True(answer.Headers.CacheControl!.NoStore);
    }

    [Theory, MemberData(nameof(Names))]
    [Rfc(6749, "10.14")]
    public async Task Nothing_an_outsider_wrote_becomes_markup_or_turns_the_line(string name)
    {
        using var http = new HttpClient { BaseAddress = gallery.Address };
        using var answer = await http.GetAsync(new Uri(name, UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();
        var page = new HtmlParser().ParseDocument(text);

        Assert.Empty(page.QuerySelectorAll("[onload], [style], script:not([src]), style"));
        Assert.DoesNotContain(page.Body!.TextContent, c => c is '\u202E' or '\u200B');
        Assert.DoesNotContain("alert(1)<", text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task A_first_view_stays_under_100_kilobytes_and_asks_no_other_origin(string name)
    {
        await using var context = await chromium.ContextAsync(1280, ColorScheme.Light);
        var page = await context.NewPageAsync();
        var responses = new ConcurrentQueue<IResponse>();
        page.Response += (_, response) => responses.Enqueue(response);
        await page.GotoAsync($"{gallery.Address}{name}", new() { WaitUntil = WaitUntilState.NetworkIdle });

        var bodies = await Task.WhenAll(responses.Select(response => response.BodyAsync()));
        Assert.InRange(bodies.Sum(body => body.Length), 1, 100_000);
        Assert.Equal(
            [gallery.Address.Authority],
            responses.Select(response => new Uri(response.Url).Authority).Distinct());
    }
}
