using System.Net;
using Postern.Audit;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Register;

namespace Postern.Tests.OAuth;

/// <summary>A client changes its secret while copies of it still use the one before.</summary>
public sealed class SecretRotationTests
{
    private const string
        First = "first-first-first-first-first-first", Second = "second-second-second-second-second-";

    [Fact]
    public async Task A_configured_client_has_two_secrets_until_the_first_one_ends()
    {
        await using var server = await TestServer.StartAsync($$"""
            demo: false
            clients:
              - client_id: agent
                client_secrets:
                  - { secret: {{First}}, expires: 2026-11-23 }
                  - { secret: {{Second}} }
                grant_types: [client_credentials]
                resources: [echo]
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """);

        var before = await AsItselfAsync(server, First, Second);
        server.Clock.Advance(TimeSpan.FromDays(1));
        var after = await AsItselfAsync(server, First, Second);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), before);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), after);
    }

    [Theory]
    [InlineData("client_secret: s0123456789012345678901234567890123, client_secrets: [{ secret: SECRET }]", "either")]
    [InlineData("client_secrets: [{ secret: short }]", "`clients[].client_secrets[].secret` is refused")]
    [InlineData("client_secrets: [{ expires: 2027-01-01 }]", "`clients[].client_secrets[].secret` is missing")]
    [InlineData("client_secrets: [{ secret: SECRET, expires: soon }]", "a time such as 2027-01-31")]
    [InlineData("client_secrets: [{ secret: SECRET, until: 2027-01-01 }]", "is not a setting")]
    [InlineData("token_endpoint_auth_method: client_secret_post, client_secrets: []", "`client_secret` is missing")]
    public async Task Secrets_that_are_not_as_they_must_be_stop_the_start_and_are_never_repeated(
        string members, string why)
    {
        var refused = await Assert.ThrowsAsync<Postern.Platform.SetupException>(() => TestServer.StartAsync(
            $"clients:\n  - {{ client_id: a, grant_types: [client_credentials], "
            + $"{members.Replace("SECRET", Second, StringComparison.Ordinal)} }}"));

        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Second, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("short", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_registered_itself_gets_another_secret_and_the_one_before_is_good_for_a_day()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        var made = await MakeAsync(server);
        var first = made.Member("client_secret")!;

        var second = (await RotateAsync(server, made)).Member("client_secret")!;
        var both = (await IsKnownAsync(server, made, first), await IsKnownAsync(server, made, second));
        server.Clock.Advance(ManageEndpoint.Overlap);
        var later = (await IsKnownAsync(server, made, first), await IsKnownAsync(server, made, second));

        Assert.Equal((true, true), both);
        Assert.Equal((false, true), later);
        Assert.Contains(
            AuditKinds.ClientChanged,
            (await server.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default)).Select(row => row.Kind));
    }

    [Theory, OnBoth]
    public async Task A_registration_that_was_read_before_another_secret_came_does_not_bring_back_the_first(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        var made = await MakeAsync(server);
        var read = await server.Get<ClientStore>().FindAsync(
            TenantId.Default, new(made.Member("client_id")!), default);

        var second = (await RotateAsync(server, made)).Member("client_secret")!;
        var refused = await server.Get<Registrations>().ReplaceAsync(
            TenantId.Default, read!, read! with { Name = "Another" }, "127.0.0.1");

        Assert.Equal(409, refused?.Status);
        Assert.True(await IsKnownAsync(server, made, second));
    }

    [Fact]
    public async Task Two_secrets_at_most_are_good_at_a_time()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        var made = await MakeAsync(server);

        var second = (await RotateAsync(server, made)).Member("client_secret")!;
        var early = await RotateAsync(server, made);
        server.Clock.Advance(ClientStore.Moment);
        var third = (await RotateAsync(server, made)).Member("client_secret")!;

        Assert.Equal((HttpStatusCode.Conflict, null), (early.Status, early.Member("client_secret")));

        Assert.False(await IsKnownAsync(server, made, made.Member("client_secret")!));
        Assert.True(await IsKnownAsync(server, made, second));
        Assert.True(await IsKnownAsync(server, made, third));
    }

    [Theory, OnBoth]
    public async Task Of_many_that_ask_for_a_secret_at_once_one_is_told_one_and_it_is_good(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        var made = await MakeAsync(server);

        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => RotateAsync(server, made)));

        var told = Assert.Single(replies, reply => reply.Status is HttpStatusCode.OK);
        Assert.Equal(19, replies.Count(reply => reply.Status is HttpStatusCode.Conflict));
        Assert.True(await IsKnownAsync(server, made, told.Member("client_secret")!));
        Assert.True(await IsKnownAsync(server, made, made.Member("client_secret")!));
    }

    [Fact, Rfc(7592, "2")]
    public async Task Nobody_else_changes_a_clients_secret_and_one_without_has_none_to_change()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        var (made, other) = (await MakeAsync(server), await MakeAsync(server));
        var bare = await MakeAsync(server, "none");

        foreach (var token in (string?[])[null, "", "wrong", other.Member("registration_access_token")])
        {
            var turned = await RotateAsync(server, made, token ?? "");
            Assert.Equal((HttpStatusCode.Unauthorized, ""), (turned.Status, turned.Text));
        }

        Assert.True(await IsKnownAsync(server, made, made.Member("client_secret")!));
        TokenTests.Refused(await RotateAsync(server, bare), "invalid_request");
    }

    [Fact, Rfc(7592, "2.2")]
    public async Task A_client_that_gives_its_secret_up_has_no_former_one_either()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        var made = await MakeAsync(server);
        await RotateAsync(server, made);

        var token = made.Member("registration_access_token")!;
        foreach (var method in (string[])["none", "client_secret_post"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, Path(server, made));
            request.Headers.Authorization = new("Bearer", token);
            request.Content = new StringContent(
                $$"""
                {"client_id":"{{made.Member("client_id")}}","redirect_uris":["https://kept.example/cb"],
                "token_endpoint_auth_method":"{{method}}"}
                """,
                System.Text.Encoding.UTF8,
                "application/json");
            using var answer = await server.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            token = (await Reply.ReadAsync(answer)).Member("registration_access_token")!;
        }

        Assert.False(await IsKnownAsync(server, made, made.Member("client_secret")!));
    }

    private static async Task<(HttpStatusCode, HttpStatusCode)> AsItselfAsync(
        TestServer server, string one, string other) => (
        (await new App(server, "agent", "", one).AsItselfAsync()).Status,
        (await new App(server, "agent", "", other).AsItselfAsync()).Status);

    private static async Task<Reply> MakeAsync(TestServer server, string method = "client_secret_post") =>
        await Registered.PostAsync(
            server,
            $$"""{"redirect_uris":["https://kept.example/cb"],"token_endpoint_auth_method":"{{method}}"}""");

    private static async Task<Reply> RotateAsync(TestServer server, Reply made, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Path(server, made) + "/secret");
        request.Headers.TryAddWithoutValidation(
            "Authorization", $"Bearer {token ?? made.Member("registration_access_token")}");
        using var answer = await server.Http.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }

    private static string Path(TestServer server, Reply made) =>
        made.Member("registration_client_uri")![server.Issuer.Length..];

    // It may not come to anything, but it is known.
    private static async Task<bool> IsKnownAsync(TestServer server, Reply made, string secret) =>
        (await new App(server, made.Member("client_id")!, "", secret).RevokeAsync("x")).Status is HttpStatusCode.OK;
}
