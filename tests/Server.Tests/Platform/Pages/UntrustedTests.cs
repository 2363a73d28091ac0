using FsCheck;
using FsCheck.Fluent;
using Postern.Platform.Pages;

namespace Postern.Tests.Platform.Pages;

public sealed class UntrustedTests
{
    [Theory]
    [InlineData("Claude", "Claude")]
    [InlineData("  Claude \t\r\n Code ", "Claude Code")]
    [InlineData("\u202Eedualc\u202C", "edualc")]
    [InlineData("Cl\u200Bau\u2060de\uFEFF", "Claude")]
    [InlineData("<b>Claude</b><svg onload=alert(1)>", "Claude")]
    [InlineData("a < b > c", "a b c")]
    [InlineData("Z\u0301\u0301\u0301\u0301\u0301\u0301algo", "Z\u0301\u0301algo")]
    [InlineData("Müller & Söhne 北京 😀", "Müller & Söhne 北京 😀")]
    [InlineData("\u3164\u115F\u2800", null)]
    [InlineData("\uD83D", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void A_name_is_one_plain_line(string? given, string? shown) => Assert.Equal(shown, Untrusted.Name(given));

    [Fact]
    public void A_name_is_cut_where_it_is_long() =>
        Assert.Equal(new string('x', Untrusted.NameLength - 1) + "…", Untrusted.Name(new string('x', 5000)));

    [Fact]
    public void Whatever_is_given_the_line_is_short_and_holds_no_control_no_format_and_no_markup() =>
        Check.QuickThrowOnFailure(Prop.ForAll<string>(given =>
        {
            var shown = Untrusted.Name(given) ?? "";
            return shown.Length <= Untrusted.NameLength * 8
                && !shown.Any(c => char.IsControl(c)
                    || c is '<' or '>'
                    || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.Format)
                && Untrusted.Name(shown) == (shown is "" ? null : shown);
        }));

    [Theory]
    [InlineData("https://claude.ai/callback", "claude.ai")]
    [InlineData("https://evil.example:8443/claude.ai", "evil.example:8443")]
    [InlineData("https://cl\u0430ude.ai/", "xn--clude-5ve.ai")]
    public void A_host_is_shown_in_the_form_that_cannot_be_confused(string address, string shown) =>
        Assert.Equal(shown, Untrusted.Host(new(address)));
}
