using System.Net;
using Postern.Grants.Parties;
using Postern.Platform;

namespace Postern.Tests.OAuth;

/// <summary>What an agent is in tokens, on pages and in chains, whichever client it comes by.</summary>
public sealed class AgentTests : IAsyncLifetime
{
    private TestServer server = null!;
    private Person ada = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(Borough.Yaml);
        ada = new(server);
        await ada.SignInAsync();
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
    }

    private App Clerk => new(server, Borough.Clerk, "");

    private App Porter => new(server, "porter", "https://porter.example/cb", Borough.Secret);

    [Fact]
    public async Task An_agent_that_acts_as_itself_is_the_subject_by_whichever_client_it_comes()
    {
        var bench = await App.Bench(server).AsItselfAsync();
        var job = await (await Borough.PrepareAsync(server, ada, "workload"))();

        foreach (var reply in (Reply[])[bench, job])
        {
            Assert.Equal(Borough.Agent, reply.Claims.GetProperty("sub").GetString());
            Assert.NotEqual(Borough.Agent, reply.Claims.GetProperty("client_id").GetString());
            Assert.False(reply.Claims.TryGetProperty("act", out _));
        }
    }

    [Fact]
    public async Task An_agent_that_is_let_in_by_a_person_is_no_actor_by_that_alone()
    {
        var tokens = await App.Web(server).LetInAsync(ada);

        Assert.False(tokens.Claims.TryGetProperty("act", out _));
        Assert.Equal("web", tokens.Claims.GetProperty("client_id").GetString());
    }

    [Fact, Rfc(8693, "4.1"), Rfc(8693, "4.4")]
    public async Task An_agent_acts_for_somebody_by_its_own_name_and_is_named_by_it()
    {
        var porter = await Porter.LetInAsync(ada);
        var web = await App.Web(server).LetInAsync(ada);

        var byKeys = await Clerk.PostAsync("/token", Exchanging(porter.AccessToken));
        var byLinked = await Borough.ExchangeAsync(server, "desk", web.AccessToken);
        var named = await Borough.ExchangeAsync(
            server, "desk", (await App.Native(server).LetInAsync(ada)).AccessToken);
        var unnamed = await Clerk.PostAsync("/token", Exchanging(web.AccessToken));
        var another = await Borough.ExchangeAsync(server, "desk", porter.AccessToken);

        Assert.Equal(Actor("clerk"), byKeys.Claims.GetProperty("act").GetRawText());
        Assert.Equal(Actor("robot"), byLinked.Claims.GetProperty("act").GetRawText());
        Assert.Equal(Actor("robot"), named.Claims.GetProperty("act").GetRawText());
        TokenTests.Refused(unnamed, "invalid_request");
        TokenTests.Refused(another, "invalid_request");
    }

    [Fact]
    public async Task An_agent_does_not_act_for_itself_by_another_of_its_clients() => TokenTests.Refused(
        await Borough.ExchangeAsync(server, "desk", (await App.Bench(server).AsItselfAsync()).AccessToken),
        "invalid_request");

    [Fact]
    public async Task What_was_passed_on_stands_still_with_whoever_is_behind()
    {
        var porter = await Porter.LetInAsync(ada);
        var passed = await Clerk.PostAsync("/token", Exchanging(porter.AccessToken));
        var watch = App.Watch(server);

        foreach (var (kind, id) in ((PartyKind, string)[])
            [
                (PartyKind.Client, "porter"), (PartyKind.Agent, Borough.Agent), (PartyKind.User, Person.Ada),
                (PartyKind.Agent, Borough.Clerk),
            ])
        {
            Assert.True(await watch.IsAliveAsync(passed.AccessToken));
            await Borough.OffAsync(server, kind, id);
            Assert.False(await watch.IsAliveAsync(passed.AccessToken));
            await Borough.OnAsync(server, kind, id);
        }
    }

    [Fact, Rfc(9449, "5")]
    public async Task A_token_that_an_agent_bound_to_its_key_dies_with_it_too()
    {
        var app = new DpopApp(server, Borough.Clerk, "");
        // The first is answered with a nonce, and uses its assertion up.
        await app.TokenAsync([("grant_type", "client_credentials"), .. Borough.Proof(server)]);
        var reply = await app.TokenAsync([("grant_type", "client_credentials"), .. Borough.Proof(server)]);

        Assert.Equal("DPoP", reply.Member("token_type"));
        Assert.True(await App.Watch(server).IsAliveAsync(reply.AccessToken));
        await Borough.OffAsync(server, PartyKind.User, Person.Bob);
        Assert.False(await App.Watch(server).IsAliveAsync(reply.AccessToken));
    }

    [Fact]
    public async Task A_person_is_told_what_an_agent_is_for_before_they_let_it_in_and_after()
    {
        var asked = await Clerk.PostAsync(
            "/bc-authorize",
            [
                ("scope", "openid mcp:read"), ("resource", Clerk.Resource), ("login_hint", Person.Ada),
                .. Borough.Proof(server),
            ]);
        var question = await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada)));
        await ada.AnswerAsync(question, "allow");
        var reply = await Clerk.PostAsync(
            "/token",
            [
                ("grant_type", Butler.GrantType), ("auth_req_id", asked.Member("auth_req_id")),
                .. Borough.Proof(server),
            ]);
        var me = (await ada.OpenAsync("/me")).Page!.Body!.TextContent;

        Assert.Contains("Files what came in", question.Page.Body!.TextContent);
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal(Borough.Clerk, reply.Claims.GetProperty("client_id").GetString());
        Assert.Contains("Files what came in", me);
    }

    [Fact]
    public async Task Whoever_answers_for_agents_sees_them_on_their_page_and_others_do_not()
    {
        using var bob = new Person(server, Person.Bob);
        await bob.SignInAsync();
        await Borough.OffAsync(server, PartyKind.Agent, Borough.Clerk);

        var bobs = (await bob.OpenAsync("/me")).Page!.Body!.TextContent;
        var adas = (await ada.OpenAsync("/me")).Page!.Body!.TextContent;

        Assert.Contains("Agents you answer for", bobs);
        Assert.Contains("The robot", bobs);
        Assert.Contains("the agent is switched off", bobs);
        Assert.DoesNotContain("Agents you answer for", adas);
    }

    [Theory]
    [InlineData("    owner: bob@example.test\n    organization", "    owner: nobody@example.test\n    organization")]
    [InlineData("    organization: maker", "    organization: nobody")]
    [InlineData("    ends: 2027-06-30\n    jwks", "    ends: soon\n    jwks")]
    [InlineData("    servers: [echo]\n", "    servers: [echo]\n    clients: [bench]\n")]
    [InlineData("  - id: clerk", "  - id: web")]
    [InlineData("    purpose: Files what came in\n", "")]
    public async Task Agents_that_contradict_the_rest_of_the_configuration_stop_the_start(string good, string wrong)
    {
        Assert.Contains(good, Borough.Yaml, StringComparison.Ordinal);

        await Assert.ThrowsAnyAsync<SetupException>(
            () => TestServer.StartAsync(Borough.Yaml.Replace(good, wrong, StringComparison.Ordinal)));
    }

    [Theory, OnBoth]
    public async Task An_agent_that_the_configuration_names_no_more_is_over(On on)
    {
        await using var first = await TestServer.StartAsync(Borough.Yaml, on);
        var token = (await App.Bench(first).AsItselfAsync()).AccessToken;
        await first.StopAsync();
        await using var second = await TestServer.StartAsync(Butler.Town(), like: first);

        Assert.False(await App.Watch(second).IsAliveAsync(token));
        Assert.Empty(second.Get<AgentBook>().All(TenantId.Default));
        Assert.Equal(HttpStatusCode.OK, (await App.Bench(second).AsItselfAsync()).Status);
    }

    [Fact]
    public async Task An_agent_whose_owner_is_no_more_does_nothing()
    {
        var token = (await App.Bench(server).AsItselfAsync()).AccessToken;
        await server.Db.WriteAsync(async unit => await unit.RunAsync($"delete from users where email = {Person.Bob}"));
        await server.Get<AgentBook>().LoadAsync(default);

        Assert.False(await App.Watch(server).IsAliveAsync(token));
        Assert.Equal("invalid_client", (await App.Bench(server).AsItselfAsync()).Error);
    }

    private (string Name, string? Value)[] Exchanging(string token) =>
    [
        ("grant_type", Borough.Exchange),
        ("subject_token", token),
        ("subject_token_type", Borough.AccessToken),
        .. Borough.Proof(server),
    ];

    private string Actor(string name) =>
        $$"""{"iss":"{{server.Issuer}}","sub":"{{name}}","sub_profile":"ai_agent"}""";
}
