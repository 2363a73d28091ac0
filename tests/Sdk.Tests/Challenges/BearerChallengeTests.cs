using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Postern.AspNetCore.Challenges;

namespace Postern.AspNetCore.Tests.Challenges;

public sealed class BearerChallengeTests
{
    [Fact]
    public void Quotes_are_escaped_and_what_would_end_the_header_is_replaced()
    {
        var challenge = BearerChallenge.InsufficientScope("a\"b\\c\r\nX: é", "https://api.example/");

        Assert.Contains("""scope="a\"b\\c??X: ?", """, challenge.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_leaves_its_quotes() => Prop.ForAll<string>(scope =>
    {
        var text = new BearerChallenge("m") { Scope = $"<{scope}>" }.ToString();
        var inside = text["Bearer scope=\"".Length..text.LastIndexOf(
            "\", resource_metadata=\"m\", DPoP algs=", StringComparison.Ordinal)];
        var outside = Regex.Replace(inside, """\\["\\]""", "", RegexOptions.None, TimeSpan.FromSeconds(1));
        return !outside.Contains('"', StringComparison.Ordinal) && text.All(c => c is >= ' ' and <= '~');
    }).QuickCheckThrowOnFailure();
}
