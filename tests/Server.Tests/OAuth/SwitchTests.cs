using System.Net;
using Postern.Grants.Parties;
using Postern.Identity.Users;

namespace Postern.Tests.OAuth;

/// <summary>
/// Whoever is switched off gets nothing by any way, and what they have opens nothing, until they are on again: each
/// kind by each way, one by one.
/// </summary>
public sealed class SwitchTests(SwitchTests.House house) : IClassFixture<SwitchTests.House>
{
    private static readonly string[] Refusals =
        ["invalid_client", "invalid_grant", "access_denied", "invalid_request"];

    // Each way with its client, and who else stands in it: a person, an issuer, a client that it came from.
    private static readonly (string Way, string Client, bool HasPerson, string? Issuer, string? From)[] Ways =
    [
        ("code", "web", true, null, null),
        ("refresh", "web", true, null, null),
        ("client_credentials", "bench", false, null, null),
        ("exchange", "desk", true, null, "web"),
        ("transaction", "back", true, null, "web"),
        ("assertion elsewhere", "porter", true, null, null),
        ("device", "tv", true, null, null),
        ("backchannel", "butler", true, null, null),
        ("deferred", "night", true, null, null),
        ("identity assertion", "connector", true, Borough.Idp, null),
        ("chaining", "connector", true, Borough.As, null),
        ("workload", ClientId.OfWorkload(Borough.Platform, "job").Value, false, Borough.Platform, null),
    ];

    private static IEnumerable<(On On, (string, string, bool, string?, string?) Way)> Each =>
        from database in Enum.GetValues<On>() from way in Ways select (database, way);

    public static TheoryData<On, string, string, string> Table
    {
        get
        {
            var table = new TheoryData<On, string, string, string>();
            foreach (var (on, (way, client, hasPerson, issuer, from)) in Each)
            {
                table.Add(on, way, "client", client);
                table.Add(on, way, "agent", Borough.Agent);
                table.Add(on, way, "user", Person.Bob); // who answers for the agent
                table.Add(on, way, "organization", "maker"); // the agent's
                if (hasPerson)
                {
                    table.Add(on, way, "user", Person.Ada);
                    table.Add(on, way, "organization", "acme");
                }

                if (issuer is not null)
                {
                    table.Add(on, way, "identity_provider", issuer);
                    table.Add(on, way, "organization", "outside");
                }

                if (from is not null)
                {
                    table.Add(on, way, "client", from);
                }
            }

            return table;
        }
    }

    [Theory, MemberData(nameof(Table)), Rfc(6749, "5.2")]
    public async Task Who_is_switched_off_gets_nothing_and_has_nothing_until_they_are_on_again(
        On on, string way, string word, string id)
    {
        var (server, kind) = (await house.ServerAsync(on), Party.KindOf(word)!.Value);
        using var ada = new Person(server);
        var redeem = await Borough.PrepareAsync(server, ada, way);

        await Borough.OffAsync(server, kind, id);
        var refused = await redeem();
        await Borough.OnAsync(server, kind, id);
        var reply = await redeem();

        Assert.Contains(refused.Error, Refusals);
        Assert.Null(refused.Member("access_token"));
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        if (way is not ("transaction" or "assertion elsewhere"))
        {
            await DiesWithAsync(server, reply.AccessToken, kind, id);
        }
    }

    [Theory, OnBoth]
    public async Task Also_in_the_middle_of_fifty_requests_nobody_gets_a_token_that_opens_anything_afterwards(On on)
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml, on);
        var racing = Enumerable.Range(0, 50).Select(async i =>
        {
            if (i is 10)
            {
                await Borough.OffAsync(server, PartyKind.Agent, Borough.Agent);
            }

            return await App.Bench(server).AsItselfAsync();
        });

        var replies = await Task.WhenAll(racing);

        foreach (var token in replies.Select(reply => reply.Member("access_token")).OfType<string>())
        {
            Assert.False(await App.Watch(server).IsAliveAsync(token));
        }

        Assert.Equal("invalid_client", (await App.Bench(server).AsItselfAsync()).Error);
    }

    [Fact]
    public async Task A_switch_reaches_the_other_node_within_a_second_and_outlives_a_restart()
    {
        await using var one = await TestServer.StartAsync(Borough.Yaml, On.Postgres);
        await using var two = await TestServer.StartAsync(Borough.Yaml, like: one);
        using var ada = new Person(one);
        (PartyKind Kind, string Id, string Token)[] each =
        [
            (PartyKind.Client, "web", (await App.Web(one).LetInAsync(ada)).AccessToken),
            (PartyKind.User, Person.Ada, (await App.Web(one).LetInAsync(ada)).AccessToken),
            (PartyKind.Agent, Borough.Agent, (await App.Bench(one).AsItselfAsync()).AccessToken),
            (PartyKind.Organization, "maker", (await App.Bench(one).AsItselfAsync()).AccessToken),
            (PartyKind.IdentityProvider, Borough.Platform,
                (await (await Borough.PrepareAsync(one, ada, "workload"))()).AccessToken),
        ];
        foreach (var (kind, id, token) in each)
        {
            Assert.True(await App.Watch(two).IsAliveAsync(token));
            var took = await Eventually.AtBestAsync(async () =>
            {
                await Borough.OffAsync(one, kind, id);
                await Eventually.TrueAsync(async () => !await App.Watch(two).IsAliveAsync(token));
                await Borough.OnAsync(one, kind, id);
                await Eventually.TrueAsync(() => App.Watch(two).IsAliveAsync(token));
            });
            Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        }

        foreach (var (kind, id, _) in each)
        {
            await Borough.OffAsync(one, kind, id);
        }

        await two.StopAsync();
        await using var three = await TestServer.StartAsync(Borough.Yaml, like: one);

        Assert.Equal("invalid_client", (await App.Web(three).RefreshAsync("prt_x")).Error);
        foreach (var (_, _, token) in each)
        {
            Assert.False(await App.Watch(three).IsAliveAsync(token));
        }
    }

    [Fact]
    public async Task A_person_who_is_off_is_signed_in_nowhere_and_cannot_sign_in()
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml);
        using var ada = new Person(server);
        await ada.SignInAsync();
        await Borough.OffAsync(server, PartyKind.Organization, "acme");

        using var page = await ada.GetAsync("/me");
        var failed = await Record.ExceptionAsync(ada.SignInAsync);
        var asked = await Butler.Of(server).AskAsync();
        await Borough.OnAsync(server, PartyKind.Organization, "acme");
        using var again = await ada.GetAsync("/me");

        Assert.Equal(HttpStatusCode.SeeOther, page.StatusCode);
        Assert.IsType<InvalidOperationException>(failed);
        Assert.Null(asked.Member("auth_req_id"));
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task A_question_to_somebody_who_is_off_is_not_waited_for()
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml);
        var code = (await Butler.Of(server).AskAsync()).Member("auth_req_id")!;
        await Borough.OffAsync(server, PartyKind.User, Person.Ada);

        Gadget.Refused(await Butler.Of(server).PollAsync(code), "access_denied");
    }

    [Theory]
    [InlineData("client", null)]
    [InlineData("agent", Borough.Agent)]
    public async Task A_client_that_is_off_begins_nothing(string word, string? id)
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml);
        using var ada = new Person(server);
        await ada.SignInAsync();
        var kind = Party.KindOf(word)!.Value;
        foreach (var client in (string[])(id is null ? ["web", "tv", "butler"] : [id]))
        {
            await Borough.OffAsync(server, kind, client);
        }

        var page = await ada.OpenAsync(App.Web(server).Authorize());

        Assert.Null(page.Left);
        Assert.Null(page.Page!.QuerySelector("form.consent"));
        Assert.Equal("invalid_client", (await App.Web(server).PushAsync()).Error);
        Assert.Equal("invalid_client", (await Gadget.Tv(server).AskAsync()).Error);
        Assert.Equal("invalid_client", (await Butler.Of(server).AskAsync()).Error);
    }

    [Fact]
    public async Task A_question_that_was_open_is_not_answered_for_a_client_that_is_off()
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml);
        using var ada = new Person(server);
        var question = await ada.AskedAsync(App.Web(server).Authorize());
        await Borough.OffAsync(server, PartyKind.Client, "web");

        var stop = await ada.AnswerAsync(question, "allow");

        Assert.Null(stop.Left);
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact]
    public async Task A_client_that_registered_itself_does_not_manage_itself_while_it_is_off()
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml);
        using var registered = await server.Http.PostAsync(
            new Uri("/register", UriKind.Relative),
            new StringContent(
                """{"redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"none"}""",
                System.Text.Encoding.UTF8,
                "application/json"));
        var client = System.Text.Json.JsonElement.Parse(await registered.Content.ReadAsStringAsync());
        await Borough.OffAsync(server, PartyKind.Client, client.GetProperty("client_id").GetString()!);
        using var request = new HttpRequestMessage(
            HttpMethod.Get, client.GetProperty("registration_client_uri").GetString());
        request.Headers.Authorization = new("Bearer", client.GetProperty("registration_access_token").GetString());

        using var answer = await server.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task What_is_off_at_one_tenant_is_on_at_another()
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml);
        using var estate = await Tenants.Estate.AddAsync(server, "acme");
        using var ada = estate.Visit();
        var tokens = await estate.LetInAsync(ada);
        await Borough.OffAsync(server, PartyKind.User, Person.Ada);
        await Borough.OffAsync(server, PartyKind.Client, estate.App.Id);
        var known = await server.Get<UserStore>().FindByEmailAsync(estate.Tenant.Id, Person.Ada, default);

        var refreshed = await estate.App.RefreshAsync(tokens.RefreshToken);

        Assert.Equal(HttpStatusCode.OK, refreshed.Status);
        Assert.Null(known!.DisabledAt);
    }

    [Theory, OnBoth]
    public async Task A_switch_is_turned_once_when_fifty_race(On on)
    {
        await using var server = await TestServer.StartAsync(Borough.Yaml, on);
        var party = await Borough.PartyAsync(server, PartyKind.Client, "web");

        var turned = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ =>
            server.Get<Switches>().TurnOffAsync(party, "a test", null, Borough.Entry)));

        Assert.Single(turned, isChanged => isChanged);
    }

    private static async Task DiesWithAsync(TestServer server, string token, PartyKind kind, string id)
    {
        var app = App.Watch(server);
        Assert.True(await app.IsAliveAsync(token));

        await Borough.OffAsync(server, kind, id);
        var (isAlive, call) = (await app.IsAliveAsync(token), await app.CallAsync(token));
        await Borough.OnAsync(server, kind, id);

        Assert.False(isAlive);
        Assert.Equal(HttpStatusCode.Unauthorized, call);
        Assert.True(await app.IsAliveAsync(token));
    }

    /// <summary>One server on each database, on which everybody is on again when a test ends.</summary>
    public sealed class House : IAsyncDisposable
    {
        private readonly Dictionary<On, TestServer> servers = [];

        internal async Task<TestServer> ServerAsync(On on) =>
            servers.TryGetValue(on, out var there)
                ? there
                : servers[on] = await TestServer.StartAsync(Borough.Yaml, on);

        public async ValueTask DisposeAsync()
        {
            foreach (var server in servers.Values)
            {
                await server.DisposeAsync();
            }
        }
    }
}
