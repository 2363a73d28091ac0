using Microsoft.Playwright;
using Postern.OAuth.Consent;
using Postern.OAuth.Requests;
using Postern.Platform.Pages;

namespace Postern.Tests.Platform.Pages;

/// <summary>The consent page in a browser without scripts: what it says is what the form will send.</summary>
public sealed class ConsentPageTests(Gallery gallery, Chromium chromium)
    : IClassFixture<Gallery>, IClassFixture<Chromium>
{
    [Fact]
    public async Task The_sentence_and_the_list_of_what_it_cannot_do_follow_every_dial_without_a_script()
    {
        await using var context = await chromium.ContextAsync(scripts: false);
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{gallery.Address}consent");

        Assert.Equal("claude.ai may read and change in Linear until 22 December.", await SentenceAsync(page));
        await Assertions.Expect(page.GetByText("delete or send anything")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Checkbox, new() { Name = "delete_issue", Exact = true }).CheckAsync();
        await page.GetByText("90 days").ClickAsync();
        Assert.Equal(
            "claude.ai may read, change and destroy in Linear until 20 February 2027.", await SentenceAsync(page));
        await Assertions.Expect(page.GetByText("delete or send anything")).ToBeHiddenAsync();

        foreach (var tool in await page.GetByRole(AriaRole.Checkbox).AllAsync())
        {
            await tool.UncheckAsync();
        }

        Assert.StartsWith("claude.ai may do nothing in Linear", await SentenceAsync(page));
        await Assertions.Expect(page.GetByText("read anything in Linear")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Destroying_and_new_tools_are_off_and_each_tool_is_named_as_it_is()
    {
        await using var context = await chromium.ContextAsync(scripts: false);
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{gallery.Address}consent");

        await Assertions.Expect(Tool(page, "list_issues")).ToBeCheckedAsync();
        await Assertions.Expect(Tool(page, "create_issue")).ToBeCheckedAsync();
        await Assertions.Expect(Tool(page, "delete_issue")).Not.ToBeCheckedAsync();
        await Assertions.Expect(Tool(page, "search")).Not.ToBeCheckedAsync();
        var (allow, deny) = (await BoxAsync(page, "Allow"), await BoxAsync(page, "Deny"));
        Assert.Equal((allow!.Width, allow.Height), (deny!.Width, deny.Height));
    }

    [Theory]
    [InlineData("Claude", "https://evil.example/cb", true)]
    [InlineData("Cl\u0430ude", "https://evil.example/cb", true)]
    [InlineData("C1aude Code", "https://evil.example/cb", true)]
    [InlineData("CIaude", "https://evil.example/cb", true)]
    [InlineData("C l a u d e", "https://evil.example/cb", true)]
    [InlineData("\uFF23laude", "https://evil.example/cb", true)]
    [InlineData("Git-Hub Copilot", "https://github.com.evil.example/cb", true)]
    [InlineData("Claude", "https://claude.ai/cb", false)]
    [InlineData("Claude", "https://mcp.claude.com/cb", false)]
    [InlineData("Claude", "https://notclaude.ai/cb", true)]
    [InlineData("Claude Code", "http://127.0.0.1:5000/cb", false)]
    [InlineData("Field Reports", "https://reports.example/cb", false)]
    public void A_well_known_name_is_left_out_when_the_answer_goes_elsewhere(
        string name, string redirect, bool isBorrowed) =>
        Assert.Equal(
            isBorrowed,
            FamousNames.IsBorrowed(new(name, null, Proof.None, null, null), ReturnPlace.Of(new(redirect))));

    [Fact]
    public async Task A_stranger_under_a_well_known_name_is_shown_by_where_the_answer_goes()
    {
        await using var context = await chromium.ContextAsync(scripts: false);
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{gallery.Address}consent-borrowed");

        var text = await page.InnerTextAsync("main");
        Assert.StartsWith("evil.example", text);
        Assert.Contains("not verified", text);
        Assert.DoesNotContain("Cl\u0430ude", text);
    }

    [Fact]
    public async Task Whoever_proves_a_host_proves_nothing_about_a_program_on_this_computer()
    {
        await using var context = await chromium.ContextAsync(scripts: false);
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{gallery.Address}consent-loopback");

        var text = await page.InnerTextAsync("main");
        Assert.StartsWith("A program on this computer", text);
        Assert.Contains("says it belongs to claude.ai", text);
        Assert.Contains("localhost:8765", text);
        Assert.DoesNotContain("proven", text);
    }

    [Theory]
    [InlineData("https://claude.ai/cb", "https://claude.ai:443")]
    [InlineData("http://127.0.0.1:8765/cb", "http://127.0.0.1:8765")]
    [InlineData("http://[::1]:8765/cb", "http:")]
    [InlineData("cursor://callback/x;y", "cursor:")]
    public void The_form_may_lead_to_the_one_place_the_answer_goes(string redirect, string target) =>
        Assert.Equal(target, ReturnPlace.Of(new(redirect)).FormTarget);

    private static ILocator Tool(IPage page, string name) =>
        page.GetByRole(AriaRole.Checkbox, new() { Name = name, Exact = true });

    private static Task<LocatorBoundingBoxResult?> BoxAsync(IPage page, string name) =>
        page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).BoundingBoxAsync();

    private static async Task<string> SentenceAsync(IPage page)
    {
        var shown = await page.InnerTextAsync(".sentence");
        return string.Join(' ', shown.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}
