using System.Net;
using System.Text.Json;

namespace Postern.Tests.Tenants;

/// <summary>Where a tenant is: at one address and nowhere else, and whole there.</summary>
public sealed class TenantPlaceTests
{
    private const string OAuth = "/.well-known/oauth-authorization-server",
        OpenId = "/.well-known/openid-configuration",
        Resource = "/.well-known/oauth-protected-resource";

    [Theory, OnBoth]
    [Rfc(8414, "3.1"), Rfc(8414, "3.3"), Rfc(9728, "3.1"), Rfc("OpenID Connect Discovery", "4")]
    public async Task A_tenant_below_the_root_says_what_it_is_where_the_standards_put_it(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var acme = await Estate.AddAsync(server, "acme");
        Assert.Equal($"{server.Issuer}/t/acme", acme.Tenant.Issuer);

        foreach (var path in (string[])[$"{OAuth}/t/acme", $"{OpenId}/t/acme", $"/t/acme{OpenId}"])
        {
            var document = await acme.JsonAsync(path);
            Assert.Equal(acme.Tenant.Issuer, document.GetProperty("issuer").GetString());
            Assert.All(
                document.EnumerateObject().Where(member => member.Name.EndsWith("_endpoint", StringComparison.Ordinal)
                    || member.Name is "jwks_uri"),
                member => Assert.StartsWith(
                    $"{acme.Tenant.Issuer}/", member.Value.GetString(), StringComparison.Ordinal));
            Assert.Equal([$"{acme.Tenant.Issuer}/mcp/echo"], Texts(document.GetProperty("protected_resources")));
        }

        var resource = await acme.JsonAsync($"{Resource}/t/acme/mcp/echo");
        Assert.Equal($"{acme.Tenant.Issuer}/mcp/echo", resource.GetProperty("resource").GetString());
        Assert.Equal([acme.Tenant.Issuer], Texts(resource.GetProperty("authorization_servers")));
        Assert.Equal(server.Issuer, (await RootAsync(server, OAuth)).GetProperty("issuer").GetString());
        Assert.Equal(server.Issuer, (await RootAsync(server, OpenId)).GetProperty("issuer").GetString());
    }

    [Theory, Rfc(8414, "3.1")]
    [InlineData("/t/nobody")]
    [InlineData("/t/nobody/token")]
    [InlineData("/t/acme/nothing")]
    [InlineData("/t/Acme/jwks")]
    [InlineData("/T/acme/jwks")]
    [InlineData("/t/acm/jwks")]
    [InlineData("/t/acme2/jwks")]
    [InlineData("/t//jwks")]
    [InlineData("/t/default/jwks")]
    [InlineData("/t/acme/t/acme/jwks")]
    [InlineData("/t/acme/t/bird/jwks")]
    [InlineData("/t/acme" + OAuth)]
    [InlineData("/t/acme" + Resource + "/mcp/echo")]
    [InlineData(OAuth + "/t/nobody")]
    [InlineData(OAuth + "/t/acme/t/bird")]
    [InlineData(OAuth + "/t/acme/jwks")]
    [InlineData(OAuth + "/acme")]
    [InlineData(Resource + "/t/bird/mcp/nothing")]
    [InlineData(Resource + "/mcp/echo/t/acme")]
    [InlineData("/.well-known/t/acme")]
    public async Task There_is_nothing_where_no_tenant_is(string path)
    {
        await using var server = await TestServer.StartAsync("demo: false");
        using var acme = await Estate.AddAsync(server, "acme");
        using var bird = await Estate.AddAsync(server, "bird");

        using var answer = await server.Http.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task A_tenant_with_a_host_of_its_own_is_there_and_nowhere_else()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var acme = await Estate.AddAsync(server, "acme", "acme.localhost:7400");
        using var bird = await Estate.AddAsync(server, "bird");
        Assert.Equal("http://acme.localhost:7400", acme.Tenant.Issuer);

        Assert.Equal(acme.Tenant.Issuer, (await acme.JsonAsync(OAuth)).GetProperty("issuer").GetString());
        Assert.Equal(acme.Tenant.Issuer, (await acme.JsonAsync(OpenId)).GetProperty("issuer").GetString());
        Assert.Equal(
            $"{acme.Tenant.Issuer}/mcp/echo",
            (await acme.JsonAsync($"{Resource}/mcp/echo")).GetProperty("resource").GetString());
        foreach (var (http, path) in new[]
        {
            (server.Http, "/t/acme/jwks"), (server.Http, $"{OAuth}/t/acme"),
            (acme.Http, "/t/acme/jwks"), (acme.Http, "/t/bird/jwks"), (acme.Http, $"{OAuth}/t/bird"),
        })
        {
            using var nothing = await http.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
        }
    }

    [Theory]
    [InlineData("acme.localhost:7401")]
    [InlineData("ACME.localhost:7400")]
    [InlineData("acme.localhost")]
    [InlineData("bird.localhost:7400")]
    public async Task A_host_that_is_no_tenants_is_turned_away(string host)
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var acme = await Estate.AddAsync(server, "acme", "acme.localhost:7400");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(OAuth, UriKind.Relative));
        request.Headers.Host = host;

        using var answer = await server.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
        Assert.Contains(server.Issuer, await answer.Content.ReadAsStringAsync());
        Assert.DoesNotContain("acme", await answer.Content.ReadAsStringAsync());
    }

    [Theory, OnBoth, Rfc(9207, "2"), Rfc(8707, "2")]
    [Combines("none", "code", "tenant")]
    [Combines("none", "code", "tenant's host")]
    public async Task A_person_lets_an_app_in_at_any_place_as_at_the_root(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        foreach (var host in (string?[])[null, "bird.localhost:7400"])
        {
            using var estate = await Estate.AddAsync(server, host is null ? "acme" : "bird", host);
            using var ada = estate.Visit();

            var answer = await ada.AllowAsync(estate.Ask);
            var tokens = await estate.App.RedeemAsync(answer.Code);
            var next = await estate.App.RefreshAsync(tokens.RefreshToken);

            Assert.Equal(estate.Tenant.Issuer, answer["iss"]);
            Assert.Equal(estate.Tenant.Issuer, next.Claims.GetProperty("iss").GetString());
            Assert.Equal(estate.App.Resource, next.Claims.GetProperty("aud").GetString());
            Assert.Equal(HttpStatusCode.OK, await estate.App.CallAsync(next.AccessToken));
            Assert.NotNull(ada.Cookie(estate.Cookie("session")));
            Assert.Null(ada.Cookie("postern_session"));
            using var page = await ada.GetAsync($"{estate.Tenant.Path}/me");
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
            Assert.Contains("in echo", await page.Content.ReadAsStringAsync());
        }
    }

    [Fact, Rfc(9728, "5.1")]
    public async Task The_challenge_below_the_root_leads_to_the_tenants_own_metadata()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var acme = await Estate.AddAsync(server, "acme");

        using var answer = await acme.Http.PostAsync(new Uri("/mcp/echo", UriKind.Relative), null);

        var challenge = answer.Headers.WwwAuthenticate.ToString();
        var place = $"{server.Issuer}{Resource}/t/acme/mcp/echo";
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains($"resource_metadata=\"{place}\"", challenge);
        var document = await acme.JsonAsync(new Uri(place).AbsolutePath);
        Assert.Equal(acme.App.Resource, document.GetProperty("resource").GetString());
    }

    private static async Task<JsonElement> RootAsync(TestServer server, string path) =>
        JsonElement.Parse(await server.Http.GetStringAsync(new Uri(path, UriKind.Relative)));

    private static IEnumerable<string> Texts(JsonElement list) =>
        list.EnumerateArray().Select(item => item.GetString()!);
}
