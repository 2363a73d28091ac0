using System.Runtime.CompilerServices;
using Microsoft.Playwright;
using Postern.Tests.Identity;
using Postern.Tests.Platform.Pages;

namespace Postern.Tests.Console;

/// <summary>
/// What people see of a server in use, in light and dark, on desktop and phone. With ACCEPT=1 the pictures in
/// <c>docs/screens</c> are taken anew.
/// </summary>
public sealed class ScreensTests(Scene scene) : IClassFixture<Scene>
{
    public static MatrixTheoryData<int, ColorScheme> Looks => new([1280, 390], [ColorScheme.Light, ColorScheme.Dark]);

    [Theory, MemberData(nameof(Looks))]
    public Task Signing_in_says_who_waits(int width, ColorScheme scheme) => SeeAsync(
        "signin",
        scene.Asks(scene.Remote),
        width,
        scheme,
        false,
        "assistant.harbor.example",
        "Nothing is agreed by signing in",
        "Use a passkey");

    [Theory, MemberData(nameof(Looks))]
    public Task A_service_on_the_web_is_asked_about_by_its_proven_host(int width, ColorScheme scheme) => SeeAsync(
        "consent",
        scene.Asks(scene.Remote),
        width,
        scheme,
        true,
        "assistant.harbor.example wants to work in Notes",
        "calls itself “Harbor Assistant”",
        "read and change in Notes until 23 December",
        "delete or send anything that cannot be undone in Notes",
        "Not you?");

    [Theory, MemberData(nameof(Looks))]
    public Task A_program_on_a_computer_is_asked_about_as_what_nobody_can_check(int width, ColorScheme scheme) =>
        SeeAsync(
            "consent-loopback",
            scene.Asks(scene.Local),
            width,
            scheme,
            true,
            "A program on this computer wants to work in Notes",
            "not verified",
            "We can't check which program on this computer is asking",
            "127.0.0.1:8765");

    [Theory, MemberData(nameof(Looks))]
    public Task A_person_who_brings_a_devices_code_is_warned_of_strangers(int width, ColorScheme scheme) => SeeAsync(
        "device",
        $"{scene.Address}device?user_code={scene.Code}",
        width,
        scheme,
        true,
        "Let a device in",
        "If somebody sent or read you the code, close this page");

    [Theory, MemberData(nameof(Looks))]
    public Task A_device_is_asked_about_with_its_code_and_where_it_is(int width, ColorScheme scheme) => SeeAsync(
        "consent-device",
        scene.Asked,
        width,
        scheme,
        true,
        "A program on another device wants to work in Notes",
        "not verified",
        scene.Code,
        "the network you are in",
        "We can't check which device is asking");

    [Theory, MemberData(nameof(Looks))]
    public Task A_service_that_named_somebody_is_asked_about_with_its_own_words_quoted(int width, ColorScheme scheme) =>
        SeeAsync(
            "consent-service",
            scene.Named,
            width,
            scheme,
            true,
            "Harbor Butler wants to work in Notes",
            "“Ferry to Hven, 19:30”",
            "It asks by itself, and you did not come here from it");

    [Theory, MemberData(nameof(Looks))]
    public async Task Who_would_spend_is_asked_about_with_every_limit(int width, ColorScheme scheme) => await SeeAsync(
        "consent-spend",
        await scene.SpendsAsync(scene.Remote),
        width,
        scheme,
        true,
        "assistant.harbor.example wants to work in Harbor Purse",
        "With pay it may spend at most 80 EUR at a time and 300 EUR in all, at Hven Ferry, Sound Chandlery, until",
        "It may use these kinds of data: payments");

    [Theory, MemberData(nameof(Looks))]
    public Task A_site_that_asks_who_one_is_asks_for_nothing_else(int width, ColorScheme scheme) => SeeAsync(
        "consent-identity",
        scene.Who(scene.Remote),
        width,
        scheme,
        true,
        "assistant.harbor.example",
        House.Email);

    [Theory, MemberData(nameof(Looks))]
    public Task Signing_out_by_way_of_an_app_is_a_question(int width, ColorScheme scheme) => SeeAsync(
        "logout", $"{scene.Address}logout", width, scheme, true, "Sign out?", House.Email, "Stay signed in");

    [Theory, MemberData(nameof(Looks))]
    public Task A_person_sees_whom_they_let_in_what_was_done_and_how_they_sign_in(int width, ColorScheme scheme) =>
        SeeAsync(
            "me",
            $"{scene.Address}me",
            width,
            scheme,
            true,
            "assistant.harbor.example",
            "“Field Notes”",
            "Edge on Windows",
            "Chrome on Linux",
            "257.5 EUR are left",
            "delete_note",
            "refused",
            "this browser",
            "Change the password");

    [Theory, MemberData(nameof(Looks))]
    public Task An_operator_sees_which_clients_came_and_how(int width, ColorScheme scheme) => SeeAsync(
        "clients",
        $"{scene.Address}console/clients",
        width,
        scheme,
        true,
        "Harbor Assistant",
        "by its metadata document",
        "assistant.harbor.example",
        "Field Notes",
        "by itself");

    [Theory, MemberData(nameof(Looks))]
    public Task An_operator_sees_agents_with_owner_purpose_and_end(int width, ColorScheme scheme) => SeeAsync(
        "agents",
        $"{scene.Address}console/agents",
        width,
        scheme,
        true,
        "Ledger",
        House.Email,
        "Enters what the ferries took each evening",
        "2027-06-30",
        "the agent's time is over");

    private async Task SeeAsync(
        string name, string address, int width, ColorScheme scheme, bool isAdas, params string[] words)
    {
        await using var context = await scene.BrowserAsync(width, scheme, isAdas);
        var page = await context.NewPageAsync();
        await page.GotoAsync(address);

        var shown = await page.InnerTextAsync("body");
        var text = string.Join(' ', shown.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.All(words, word => Assert.Contains(word, text));
        await PageTests.LooksRightAsync(page, $"{name} at {width}");
        if (Environment.GetEnvironmentVariable("ACCEPT") is "1")
        {
            // In a window as tall as the page, so that what sticks to its end covers nothing.
            var height = await page.EvaluateAsync<int>("document.documentElement.scrollHeight");
            await page.SetViewportSizeAsync(width, height);
            var packed = Picture.Pack(await page.ScreenshotAsync(new() { FullPage = true }));
            Directory.CreateDirectory(Path.GetDirectoryName(FileOf(""))!);
            Assert.InRange(packed.Length, 1, 150_000);
            await File.WriteAllBytesAsync(FileOf($"{name}-{width}-{scheme}".ToLowerInvariant()), packed);
        }
    }

    private static string FileOf(string name, [CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "../../../docs/screens", $"{name}.png");
}
