using System.Net;
using System.Text.Json.Nodes;

namespace Postern.AspNetCore.Tests;

/// <summary>Endpoints that want the person to have signed in strongly, or lately (RFC 9470).</summary>
public sealed class SignInTests(ProtectedApi api) : IClassFixture<ProtectedApi>
{
    [Theory]
    [InlineData("phr", 0, true)]
    [InlineData("phrh", 300, true)]
    [InlineData("phr", 301, false)]
    [InlineData("PHR", 0, false)]
    [InlineData("pwd", 0, false)]
    [InlineData(null, 0, false)]
    [InlineData("phr", null, false)]
    public async Task Demands_of_a_group_and_of_its_endpoint_hold_together(string? acr, int? ago, bool isEnough)
    {
        var token = api.Issuer.Mint(claims => SignedIn(claims, acr, ago));
        using var answer = await api.Server.GetAsync("/safe/open", token);

        Assert.Equal(isEnough ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, answer.StatusCode);
        if (!isEnough)
        {
            Assert.Equal(
                "Bearer error=\"insufficient_user_authentication\", error_description=\"The person must sign in "
                + "again, more strongly or more lately, for this.\", acr_values=\"phr phrh\", max_age=\"300\", "
                + "scope=\"notes:read\", "
                + "resource_metadata=\"https://api.example/.well-known/oauth-protected-resource/notes\", "
                + "DPoP algs=\"ES256 PS256 RS256\"",
                answer.Headers.WwwAuthenticate.ToString());
            Assert.True(answer.Headers.CacheControl!.NoStore);
        }
    }

    [Fact]
    public async Task A_sign_in_grows_old_under_a_token_that_was_good()
    {
        using var issuer = new Issuer();
        await using var server = await ResourceServer.StartAsync(issuer);
        var token = issuer.Mint(claims => SignedIn(claims, null, 0));
        using var early = await server.GetAsync("/safe/look", token);
        issuer.Clock.Advance(TimeSpan.FromSeconds(301));
        using var late = await server.GetAsync("/safe/look", token);

        Assert.Equal(HttpStatusCode.OK, early.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, late.StatusCode);
        Assert.DoesNotContain("acr_values", late.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Contains("max_age=\"300\"", late.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_learns_what_is_demanded_without_a_good_token()
    {
        using var none = await api.Server.GetAsync("/safe/open");
        using var bad = await api.Server.GetAsync("/safe/open", "a.b.c");

        Assert.All([none, bad], answer => Assert.DoesNotContain(
            "acr_values", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void A_demand_that_demands_nothing_or_cannot_be_said_is_a_mistake_of_the_program()
    {
        Assert.Throws<ArgumentException>(() => new SignInDemand([]));
        Assert.Throws<ArgumentException>(() => new SignInDemand(["two words"]));
        Assert.Throws<ArgumentException>(() => new SignInDemand([], TimeSpan.Zero));
    }

    [Fact]
    public void Two_demands_that_no_sign_in_meets_together_are_met_by_none()
    {
        var both = new SignInDemand(["a"]).And(new(["b"]));

        Assert.False(both.IsMetBy("a", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch));
        Assert.False(both.And(new(["a"])).IsMetBy("a", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch));
    }

    private static void SignedIn(JsonObject claims, string? acr, int? ago)
    {
        claims["acr"] = acr;
        claims["auth_time"] = claims["iat"]!.GetValue<long>() - ago;
        if (acr is null)
        {
            claims.Remove("acr");
        }

        if (ago is null)
        {
            claims.Remove("auth_time");
        }
    }
}
