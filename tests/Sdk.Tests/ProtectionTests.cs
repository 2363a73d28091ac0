using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Options;
using Postern.AspNetCore.AccessTokens;

namespace Postern.AspNetCore.Tests;

public sealed class ProtectionTests(ProtectedApi api) : IClassFixture<ProtectedApi>
{
    private const string Metadata =
        "resource_metadata=\"https://api.example/.well-known/oauth-protected-resource/notes\", "
        + "DPoP algs=\"ES256 PS256 RS256\"";

    [Fact]
    public async Task A_request_without_a_token_is_led_to_the_metadata()
    {
        using var answer = await api.Server.GetAsync("/notes");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal($"Bearer scope=\"notes:read\", {Metadata}", answer.Headers.WwwAuthenticate.ToString());
        Assert.True(answer.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task A_bad_token_is_named_as_the_cause()
    {
        using var answer = await api.Server.GetAsync("/notes", "a.b.c");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(
            "Bearer error=\"invalid_token\", "
            + "error_description=\"The access token is invalid, has ended, or is meant for another resource.\", "
            + $"scope=\"notes:read\", {Metadata}",
            answer.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task A_good_token_lets_its_subject_in()
    {
        using var answer = await api.Server.GetAsync("/notes", api.Issuer.Mint());

        Assert.Equal("user_1", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_user_is_who_the_token_speaks_for()
    {
        using var answer = await api.Server.GetAsync("/whoami", api.Issuer.Mint());

        Assert.Equal(
            """["sub=user_1","client_id=app","jti=token_1","scope=notes:read","scope=notes:write"]""",
            await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_lacking_scope_is_asked_for_together_with_all_that_the_operation_needs()
    {
        using var answer = await api.Server.SendAsync(HttpMethod.Delete, "/notes", $"Bearer {api.Issuer.Mint()}");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(
            "Bearer error=\"insufficient_scope\", "
            + "error_description=\"The access token lacks a scope that this operation needs.\", "
            + $"scope=\"notes:read notes:destroy\", {Metadata}",
            answer.Headers.WwwAuthenticate.ToString());
    }

    [Theory]
    [InlineData("notes:read")]
    [InlineData("admin")]
    [InlineData("notes:read administrator")]
    [InlineData("ADMIN notes:read")]
    public async Task Scopes_of_a_group_and_of_its_endpoint_are_both_needed(string scope)
    {
        using var answer = await api.Server.GetAsync("/admin/", api.Issuer.Mint(c => c["scope"] = scope));
        using var control = await api.Server.GetAsync("/admin/", api.Issuer.Mint(c => c["scope"] = "admin notes:read"));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        AssertChallenge(answer, "scope=\"admin notes:read\"");
        Assert.Equal(HttpStatusCode.OK, control.StatusCode);
    }

    [Theory]
    [InlineData("/undeclared")]
    [InlineData("/nowhere")]
    public async Task An_endpoint_that_says_nothing_is_closed(string path)
    {
        using var answer = await api.Server.GetAsync(path);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Leaving_undeclared_endpoints_open_opens_only_those()
    {
        await using var server = await ResourceServer.StartAsync(
            api.Issuer, options => options.LeaveUndeclaredEndpointsOpen = true);
        using var undeclared = await server.GetAsync("/undeclared");
        using var declared = await server.GetAsync("/notes");

        Assert.Equal(HttpStatusCode.OK, undeclared.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, declared.StatusCode);
    }

    [Fact]
    public async Task The_scheme_is_compared_without_case()
    {
        using var answer = await api.Server.SendAsync(HttpMethod.Get, "/notes", $"bEARER {api.Issuer.Mint()}");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("Basic dXNlcjpwYXNz")]
    [InlineData("{0}")]
    [InlineData("Bearer{0}")]
    public async Task Another_scheme_is_no_token(string authorization)
    {
        var header = authorization.Replace("{0}", api.Issuer.Mint(), StringComparison.Ordinal);
        using var answer = await api.Server.SendAsync(HttpMethod.Get, "/notes", header);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.DoesNotContain("error", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bare_scheme_is_a_malformed_request()
    {
        using var answer = await api.Server.SendAsync(HttpMethod.Get, "/notes", "Bearer");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        AssertChallenge(answer, "error=\"invalid_request\"");
    }

    [Fact]
    public async Task Two_authorization_headers_are_refused_though_both_tokens_are_good()
    {
        using var answer = await SendRawAsync(
            $"Authorization: Bearer {api.Issuer.Mint()}\r\nAuthorization: Bearer {api.Issuer.Mint()}\r\n");

        Assert.StartsWith("HTTP/1.1 400", await answer.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_token_in_the_query_is_refused(bool alsoInTheHeader)
    {
        var token = api.Issuer.Mint();
        using var answer = await api.Server.GetAsync($"/notes?access_token={token}", alsoInTheHeader ? token : null);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        AssertChallenge(answer, "error=\"invalid_request\"");
    }

    [Fact]
    public async Task A_token_in_a_form_is_not_looked_at()
    {
        using var form = new FormUrlEncodedContent([new("access_token", api.Issuer.Mint())]);
        using var answer = await api.Server.SendAsync(HttpMethod.Post, "/notes", body: form);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task A_token_whose_grant_has_ended_is_refused()
    {
        var ended = new HashSet<string>();
        await using var server = await ResourceServer.StartAsync(api.Issuer, options => options.Liveness = AskAsync);
        var text = api.Issuer.Mint();
        using var before = await server.GetAsync("/notes", text);

        ended.Add("gr_1");
        using var after = await server.GetAsync("/notes", text);

        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);

        async ValueTask<string?> AskAsync(AccessToken token, CancellationToken stop)
        {
            await Task.Yield();
            return ended.Contains(token.GrantId!) ? "revoked" : null;
        }
    }

    [Fact]
    public async Task A_liveness_check_that_fails_lets_nobody_in()
    {
        await using var server = await ResourceServer.StartAsync(api.Issuer, options =>
            options.Liveness = (_, _) => throw new IOException("The index cannot be read."));
        using var answer = await server.GetAsync("/notes", api.Issuer.Mint());

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
    }

    [Theory]
    [InlineData("", Issuer.Resource, "Issuer")]
    [InlineData("http://as.example", Issuer.Resource, "Issuer")]
    [InlineData("https://as.example?x", Issuer.Resource, "Issuer")]
    [InlineData("https://user@as.example", Issuer.Resource, "Issuer")]
    [InlineData(Issuer.Name, "/notes", "Resource")]
    [InlineData(Issuer.Name, "https://api.example/notes#part", "Resource")]
    [InlineData(Issuer.Name, "https://api.example/no\"tes", "Resource")]
    public async Task A_wrong_setting_stops_the_start_and_says_which(string issuer, string resource, string setting)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => ResourceServer.StartAsync(
            api.Issuer, options => (options.Issuer, options.Resource) = (issuer, resource)));

        Assert.StartsWith($"{setting} is ", Assert.Single(fault.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Revocations_are_followed_by_somebody_or_not_at_all()
    {
        var faults = new List<string>();
        Action<PosternOptions>[] settings =
        [
            options => options.FollowRevocations = true,
            options => options.ClientId = "notes",
            options => options.RevocationPatience = TimeSpan.FromSeconds(5),
        ];
        foreach (var setting in settings)
        {
            var fault = await Assert.ThrowsAsync<OptionsValidationException>(
                () => ResourceServer.StartAsync(api.Issuer, setting));
            faults.Add(Assert.Single(fault.Failures));
        }

        Assert.StartsWith("ClientId and ClientSecret", faults[0], StringComparison.Ordinal);
        Assert.Equal(faults[0], faults[1]);
        Assert.StartsWith("RevocationPatience is ", faults[2], StringComparison.Ordinal);
    }

    [Fact]
    public void A_scope_outside_the_grammar_is_found_when_it_is_required()
    {
        Assert.Throws<ArgumentException>(() => new ScopeRequirement([]));
        Assert.Throws<ArgumentException>(() => new ScopeRequirement(["notes:read notes:write"]));
        Assert.Throws<ArgumentException>(() => new ScopeRequirement(["\"", "x"]));
    }

    // The client library would fold two headers into one.
    private async Task<StreamReader> SendRawAsync(string headers)
    {
        var at = api.Server.Client.BaseAddress!;
        var connection = new TcpClient();
        await connection.ConnectAsync(at.Host, at.Port);
        var stream = connection.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /notes HTTP/1.0\r\n{headers}\r\n"));
        return new(stream);
    }

    private static void AssertChallenge(HttpResponseMessage answer, string part) =>
        Assert.Contains(part, answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
}
