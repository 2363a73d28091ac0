using Postern.OAuth.ClientAuth;

namespace Postern.Tests.OAuth;

/// <summary>Names of workloads have one spelling (SPIFFE-ID §2).</summary>
public sealed class SpiffeIdTests
{
    private const string Draft = "OAuth SPIFFE Client Authentication";

    [Theory, Rfc("SPIFFE-ID", "2.1"), Rfc("SPIFFE-ID", "2.2")]
    [InlineData("spiffe://192.0.2.7/a")]
    [InlineData("spiffe://example.org")]
    [InlineData("spiffe://example.org/a")]
    [InlineData("spiffe://ex_am-ple.1/a/B.c-d_e/9")]
    [InlineData("spiffe://example.org/...")]
    public void A_name_is_read_and_written_alike(string text) =>
        Assert.Equal(text, SpiffeId.Parse(text)!.ToString());

    [Fact, Rfc("SPIFFE-ID", "2.3")]
    public void A_name_may_be_2048_bytes_long()
    {
        var text = "spiffe://example.org/".PadRight(2048, 'a');

        Assert.Equal(text, SpiffeId.Parse(text)!.ToString());
        Assert.Null(SpiffeId.Parse(text + "a"));
    }

    [Theory, Rfc("SPIFFE-ID", "2"), Rfc("SPIFFE-ID", "2.1"), Rfc("SPIFFE-ID", "2.2")]
    [InlineData("")]
    [InlineData("spiffe:/example.org/a")]
    [InlineData("SPIFFE://example.org/a")]
    [InlineData("https://example.org/a")]
    [InlineData("spiffe://")]
    [InlineData("spiffe:///a")]
    [InlineData("spiffe://Example.org/a")]
    [InlineData("spiffe://example.org:1/a")]
    [InlineData("spiffe://u@example.org/a")]
    [InlineData("spiffe://example.org/")]
    [InlineData("spiffe://example.org/a/")]
    [InlineData("spiffe://example.org//a")]
    [InlineData("spiffe://example.org/a/../b")]
    [InlineData("spiffe://example.org/./b")]
    [InlineData("spiffe://example.org/a%2fb")]
    [InlineData("spiffe://example.org/a?b")]
    [InlineData("spiffe://example.org/a#b")]
    [InlineData("spiffe://example.org/ü")]
    public void What_is_no_name_is_not_read(string text) => Assert.Null(SpiffeId.Parse(text));

    [Theory, Rfc(Draft, "3.1")]
    [InlineData("spiffe://example.org/agent", "spiffe://example.org/agent", true)]
    [InlineData("spiffe://example.org/agent", "spiffe://example.org/agent/1", false)]
    [InlineData("spiffe://example.org/agent/*", "spiffe://example.org/agent/1", true)]
    [InlineData("spiffe://example.org/agent/*", "spiffe://example.org/agent/1/2", true)]
    [InlineData("spiffe://example.org/agent/*", "spiffe://example.org/agent", false)]
    [InlineData("spiffe://example.org/agent/*", "spiffe://example.org/agents/1", false)]
    [InlineData("spiffe://example.org/agent/*", "spiffe://example.com/agent/1", false)]
    [InlineData("spiffe://example.org/*", "spiffe://example.org/agent", true)]
    [InlineData("spiffe://example.org/*", "spiffe://example.org", false)]
    public void A_pattern_has_whole_segments_of_its_own_domain(string pattern, string id, bool has) =>
        Assert.Equal(has, SpiffePattern.Parse(pattern)!.Has(SpiffeId.Parse(id)!));

    [Theory]
    [InlineData("spiffe://example.org")]
    [InlineData("spiffe://example.org/a*")]
    [InlineData("spiffe://*/a")]
    [InlineData("*")]
    public void What_is_no_pattern_is_not_read(string text) => Assert.Null(SpiffePattern.Parse(text));
}
