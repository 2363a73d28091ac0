namespace Postern.Tests;

/// <summary>What people read is what is there.</summary>
public sealed class UnseenTests
{
    [Theory]
    [InlineData("a\u200Bda")]
    [InlineData("\u202Eada")]
    [InlineData("ada\u3164")]
    [InlineData("ada\uFFA0")]
    [InlineData("ada\u2800")]
    [InlineData("ada\uE000")]
    [InlineData("ada\n")]
    public void What_cannot_be_seen_is_found(string text) => Assert.True(Unseen.IsIn(text));

    [Theory]
    [InlineData("Ada Lovelace <ada@example.com>")]
    [InlineData("\u0646\u0645\u06CC\u200C\u062F\u0627\u0646\u0645")]
    [InlineData("\U0001F469\u200D\U0001F4BB")]
    public void Joiners_are_parts_of_words_and_signs(string text) => Assert.False(Unseen.IsIn(text));
}
