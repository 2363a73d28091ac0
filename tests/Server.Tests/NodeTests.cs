using System.Net;
using System.Text;
using Postern.Platform.Keys;

namespace Postern.Tests;

/// <summary>Two nodes on one PostgreSQL behave as one server.</summary>
public sealed class NodeTests : IAsyncLifetime
{
    private TestServer one = null!, two = null!;

    public async ValueTask InitializeAsync()
    {
        one = await TestServer.StartAsync(App.Town, On.Postgres);
        two = await TestServer.StartAsync(App.Town, like: one);
    }

    public async ValueTask DisposeAsync()
    {
        await two.DisposeAsync();
        await one.DisposeAsync();
    }

    [Fact]
    public async Task What_ends_on_one_node_is_dead_on_the_other_within_a_second()
    {
        using var ada = new Person(one);
        var (here, watch) = (App.Native(one), App.Watch(two));
        var letIn = new Queue<(Reply Whole, Reply Alone)>();
        for (var i = 0; i < 5; i++)
        {
            letIn.Enqueue((await here.LetInAsync(ada), await here.LetInAsync(ada)));
            Assert.True(await watch.IsAliveAsync(letIn.Last().Whole.AccessToken));
            Assert.True(await watch.IsAliveAsync(letIn.Last().Alone.AccessToken));
        }

        var took = await Eventually.AtBestAsync(async () =>
        {
            var (whole, alone) = letIn.Dequeue();
            await here.RevokeAsync(whole.RefreshToken);
            await here.RevokeAsync(alone.AccessToken);
            await Eventually.TrueAsync(async () => !await watch.IsAliveAsync(whole.AccessToken));
            await Eventually.TrueAsync(async () => !await watch.IsAliveAsync(alone.AccessToken));
            Assert.Equal("invalid_grant", (await App.Native(two).RefreshAsync(whole.RefreshToken)).Error);
        });

        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_flow_may_be_served_by_another_node_at_each_step()
    {
        using var ada = new Person(one);
        using var there = new Person(two.Issuer, two.Http.BaseAddress!, like: ada);
        var (here, elsewhere) = (App.Web(one), App.Web(two));

        var question = await ada.AskedAsync(here.Authorize());
        var answer = new Answer((await there.AnswerAsync(question, "allow")).Left!);
        var first = await elsewhere.RedeemAsync(answer.Code, ("code_verifier", here.Verifier));
        var second = await here.RefreshAsync(first.RefreshToken);
        var third = await elsewhere.RefreshAsync(second.RefreshToken);

        Assert.Equal(HttpStatusCode.OK, third.Status);
        Assert.Equal("invalid_grant", (await here.RefreshAsync(first.RefreshToken)).Error);
        Assert.Equal("invalid_grant", (await elsewhere.RefreshAsync(third.RefreshToken)).Error);
    }

    [Fact]
    public async Task One_code_and_one_refresh_token_are_good_once_on_both_together()
    {
        using var ada = new Person(one);
        var (here, elsewhere) = (App.Web(one), App.Web(two));
        var code = (await ada.AllowAsync(here.Authorize())).Code;

        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            (i % 2 is 0 ? here : elsewhere).RedeemAsync(code, ("code_verifier", here.Verifier))));
        var first = await App.Native(one).LetInAsync(ada);
        var refreshed = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            App.Native(i % 2 is 0 ? one : two).RefreshAsync(first.RefreshToken)));

        Assert.Single(replies, reply => reply.Status is HttpStatusCode.OK);
        Assert.All(refreshed, reply => Assert.Equal(HttpStatusCode.OK, reply.Status));
        Assert.Single(refreshed.Select(reply => reply.RefreshToken).Distinct());
    }

    [Fact]
    public async Task A_client_that_registered_at_one_node_is_known_at_the_other()
    {
        using var ada = new Person(two);
        var app = await OAuth.Registered.Async(one, "https://a.example/cb");

        var question = await ada.AskedAsync(app.Authorize());

        Assert.NotNull(question.Form);
    }

    [Fact]
    public async Task A_session_of_an_older_client_goes_on_at_the_other_and_ends_at_both()
    {
        const string Yaml =
            $"""
            clients:
              - client_id: bench
                client_secret: {App.BenchSecret}
                grant_types: [client_credentials]
                resources: [notes]
            """;
        await using var here = await TestServer.StartAsync(Yaml, On.Postgres);
        await using var there = await TestServer.StartAsync(Yaml, like: here);
        var token = (await App.Bench(here).AsItselfAsync()).AccessToken;
        const string Hello =
            """{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"older","version":"1"}}""";
        using var opened = await AskAsync(here, token, null, "initialize", Hello);
        var session = opened.Headers.GetValues("Mcp-Session-Id").Single();

        using var listed = await AskAsync(there, token, session, "tools/list");
        using var ended = await AskAsync(there, token, session, null);

        Assert.Contains("list_notes", await listed.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        await Eventually.TrueAsync(async () =>
        {
            using var late = await AskAsync(here, token, session, "tools/list");
            return late.StatusCode is HttpStatusCode.NotFound;
        });
    }

    [Fact]
    public async Task A_token_is_good_at_once_on_a_node_whose_clock_is_behind()
    {
        var token = (await App.Bench(one).AsItselfAsync()).AccessToken;
        one.Clock.Advance(TimeSpan.FromSeconds(-2));

        Assert.True(await App.Watch(two).IsAliveAsync(token));
        one.Clock.Advance(TimeSpan.FromMinutes(10));
        one.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.False(await App.Watch(two).IsAliveAsync(token));
    }

    [Fact]
    public async Task Both_sign_with_the_same_keys_also_after_one_has_replaced_them()
    {
        var token = (await App.Bench(one).AsItselfAsync()).AccessToken;
        Assert.True(await App.Watch(two).IsAliveAsync(token));

        await two.Get<SigningKeys>().ReplaceAsync(TenantId.Default, _ => { }, default);

        await Eventually.TrueAsync(async () => !await App.Watch(one).IsAliveAsync(token));
        Assert.Equal(
            one.Get<SigningKeys>().Current(TenantId.Default).Id, two.Get<SigningKeys>().Current(TenantId.Default).Id);
        Assert.True(await App.Watch(two).IsAliveAsync((await App.Bench(one).AsItselfAsync()).AccessToken));
    }

    // Without a method the session is ended.
    private static Task<HttpResponseMessage> AskAsync(
        TestServer node, string token, string? session, string? method, string parameters = "{}")
    {
        var request = new HttpRequestMessage(
            method is null ? HttpMethod.Delete : HttpMethod.Post, new Uri("/mcp/notes", UriKind.Relative));
        request.Content = new StringContent(
            $$"""{"jsonrpc":"2.0","id":1,"method":"{{method}}","params":{{parameters}}}""",
            Encoding.UTF8,
            "application/json");
        request.Headers.Authorization = new("Bearer", token);
        request.Headers.TryAddWithoutValidation("Mcp-Session-Id", session);
        return node.Http.SendAsync(request);
    }
}
