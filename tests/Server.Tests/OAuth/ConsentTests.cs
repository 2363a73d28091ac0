using System.Net;
using Postern.Audit;
using Postern.Servers;

namespace Postern.Tests.OAuth;

/// <summary>What a person agrees to, and nobody else in their place.</summary>
public sealed class ConsentTests : IAsyncLifetime
{
    private TestServer server = null!;
    private Person ada = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(App.Town);
        await ToolsAsync(("look", Risk.Read), ("list", Risk.Read), ("write", Risk.Change), ("wipe", Risk.Destroy));
        ada = new(server);
        await ada.SignInAsync();
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task What_destroys_is_off_until_a_person_turns_it_on()
    {
        var app = App.Web(server);
        var question = await ada.AskedAsync(app.Authorize());

        Assert.Equal([("look", true), ("list", true), ("write", true), ("wipe", false)], question.Tools);
        var reply = await app.RedeemAsync(new Answer((await ada.AnswerAsync(question, "allow")).Left!).Code);

        Assert.Equal("mcp:read mcp:write offline_access", reply.Scope);
        Assert.Equal("mcp:read mcp:write", reply.Claims.GetProperty("scope").GetString());
    }

    public static TheoryData<string, string[], string[]> Askers => new()
    {
        {
            "an app that an operator named",
            ["web wants to work in echo", "known here", "The answer goes to web.example."],
            ["not verified", "We can't check", "Nobody has proven"]
        },
        {
            "a program that an operator named",
            [
                "native", "known here", "We can't check which program on this computer is asking", "Firefox on Linux",
                "The answer goes to 127.0.0.1:8765, a program on this computer.",
            ],
            ["not verified", "Nobody has proven"]
        },
        {
            "a document",
            ["127.0.0.1:PORT wants to work in echo", "proven", "calls itself “A document”", "new here", "doc.example"],
            ["not verified", "We can't check", "Nobody has proven"]
        },
        {
            "an app that registered itself",
            [
                "a.example wants to work in echo", "not verified",
                "Nobody has proven who this is. All we know is where the answer goes: a.example.",
            ],
            ["We can't check", "known here"]
        },
        {
            "a program that registered itself",
            [
                "A program on this computer wants to work in echo", "not verified", "Firefox on Linux",
                "We can't check which program on this computer is asking", "The answer goes to localhost:4711",
            ],
            ["Nobody has proven", "known here"]
        },
        {
            "an app of a device",
            [
                "An app on this device wants to work in echo", "not verified", "Firefox on Linux",
                "We can't check which app on this device is asking", "The answer goes to com.example.app, an app",
            ],
            ["Nobody has proven", "known here"]
        },
    };

    [Theory, MemberData(nameof(Askers))]
    public async Task The_page_says_who_asks_what_was_proven_and_where_the_answer_goes(
        string asker, string[] says, string[] never)
    {
        await using var host = new DocumentHost();
        await using var other = await TestServer.StartAsync(host.Settings + App.Town);
        using var person = new Person(other);
        var app = asker switch
        {
            "an app that an operator named" => App.Web(other),
            "a program that an operator named" => App.Native(other),
            "a document" => new App(other, host.Client("/client.json"), "https://doc.example/cb"),
            "an app that registered itself" => await Registered.Async(other, "https://a.example/cb"),
            "a program that registered itself" => await Registered.Async(other, "http://localhost:4711/cb"),
            _ => await Registered.Async(other, "com.example.app:/cb"),
        };

        var question = await person.AskedAsync(app.Authorize());

        var text = string.Join(' ', question.Page.QuerySelector("main")!.TextContent.Split(
            (char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.All(says, words => Assert.Contains(words.Replace("PORT", $"{host.Port}"), text));
        Assert.All(never, words => Assert.DoesNotContain(words, text));
        Assert.Contains(Person.Ada, question.Page.Body!.TextContent);
        Assert.All((string[])["Read", "Change", "Destroy", "Today", "A week", "30 days", "90 days", "Half a year"],
            words => Assert.Contains(words, text));
    }

    [Fact, Rfc(9396, "7")]
    public async Task A_tool_that_was_not_ticked_appears_nowhere()
    {
        var app = App.Web(server);
        var answer = await ada.AllowAsync(app.Authorize(), "look", "wipe");
        var reply = await app.RedeemAsync(answer.Code);
        var refreshed = await app.RefreshAsync(reply.RefreshToken);
        var seen = await app.IntrospectAsync(refreshed.AccessToken);
        var grant = Assert.Single(await Grants.OfAsync(server, Person.Ada));

        Assert.Equal("mcp:read mcp:destroy offline_access", reply.Scope);
        Assert.Equal(["look", "wipe"], grant.Tools!);
        string[] texts =
            [reply.Text, reply.Claims.GetRawText(), refreshed.Text, refreshed.Claims.GetRawText(), seen.Text];
        foreach (var text in texts)
        {
            Assert.Contains("\"actions\":[\"look\",\"wipe\"]", text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"list\"", text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"write\"", text, StringComparison.Ordinal);
            Assert.DoesNotContain("mcp:write", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_tool_outside_the_question_cannot_be_ticked()
    {
        var app = App.Web(server);

        var answer = await ada.AllowAsync(app.Authorize(("scope", "mcp:read")), "look", "wipe", "another");
        var reply = await app.RedeemAsync(answer.Code);

        Assert.Equal("mcp:read", reply.Scope);
        Assert.DoesNotContain("\"wipe\"", reply.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"another\"", reply.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tool")]
    [InlineData("until")]
    [InlineData("until", "-1")]
    [InlineData("until", "99999999999")]
    [InlineData("until", "86401")]
    public async Task An_answer_that_leaves_nothing_or_says_what_was_not_offered_grants_nothing(
        string field, params string[] values)
    {
        var question = await ada.AskedAsync(App.Web(server).Authorize());

        var stop = await ada.AnswerAsync(question, "allow", fields => fields[field] = [.. values]);

        Assert.Null(stop.Left);
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact, Rfc(6749, "4.1.2.1"), Rfc(9207, "2")]
    public async Task A_no_is_told_to_the_client_and_written_down()
    {
        var answer = await ada.DenyAsync(App.Web(server).Authorize());

        Assert.Equal(["access_denied"], answer.All("error"));
        Assert.Equal([server.Issuer], answer.All("iss"));
        Assert.Equal(["the state + of it"], answer.All("state"));
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
        Assert.Contains(await LogAsync(), row => row.Kind == AuditKinds.GrantDenied);
    }

    [Theory]
    [InlineData("no origin")]
    [InlineData("another origin")]
    [InlineData("null origin")]
    [InlineData("no token")]
    [InlineData("empty token")]
    [InlineData("altered token")]
    [InlineData("transaction as token")]
    [InlineData("token as transaction")]
    [InlineData("no transaction")]
    [InlineData("nothing")]
    [Rfc(6749, "10.12")]
    public async Task A_form_that_our_page_did_not_send_does_nothing(string what)
    {
        var question = await ada.AskedAsync(App.Web(server).Authorize());
        var origin = what switch
        {
            "no origin" => null,
            "another origin" => "https://evil.example",
            "null origin" => "null",
            _ => "own",
        };

        using var answer = await ada.PostAsync(question, "allow", fields => Spoil(fields, what), origin);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Null(answer.Headers.Location);
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact]
    public async Task A_question_can_be_opened_and_answered_in_its_own_browser_only()
    {
        using var elsewhere = new Person(server);
        await elsewhere.SignInAsync();
        var question = await ada.AskedAsync(App.Web(server).Authorize());

        var opened = await elsewhere.OpenAsync(question.Address);
        using var answered = await elsewhere.PostAsync(question, "allow");
        var resumed = await elsewhere.OpenAsync(
            question.Address.Replace("/consent", "/authorize", StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.BadRequest, opened.Status);
        Assert.Equal(HttpStatusCode.BadRequest, answered.StatusCode);
        Assert.Null(resumed.Left);
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact]
    public async Task Who_signs_in_later_does_not_give_the_answer_of_who_was_asked()
    {
        var question = await ada.AskedAsync(App.Web(server).Authorize());
        using var bob = new Person(server, Person.Bob);
        await bob.SignInAsync();
        // Bob sits down at Ada's browser: it is hers but for the session.
        foreach (Cookie cookie in ada.Cookies.GetAllCookies())
        {
            if (cookie.Name is "postern_browser")
            {
                bob.Cookies.Add(new Cookie(cookie.Name, cookie.Value, cookie.Path, cookie.Domain));
            }
        }

        using var answer = await bob.PostAsync(question, "allow");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Empty(await Grants.OfAsync(server, Person.Bob));
    }

    [Fact]
    public async Task Two_tabs_do_not_answer_each_others_question()
    {
        var (web, native) = (App.Web(server), App.Native(server));
        var one = await ada.AskedAsync(web.Authorize(("scope", "mcp:read")));
        var two = await ada.AskedAsync(native.Authorize());

        using var crossed = await ada.PostAsync(one, "allow", fields => fields["form"] = two.Fields()["form"]);
        var second = new Answer((await ada.AnswerAsync(two, "allow")).Left!);
        var first = new Answer((await ada.AnswerAsync(one, "allow")).Left!);

        Assert.Equal(HttpStatusCode.Forbidden, crossed.StatusCode);
        Assert.Equal("mcp:read", (await web.RedeemAsync(first.Code)).Scope);
        Assert.Equal(HttpStatusCode.OK, (await native.RedeemAsync(second.Code)).Status);
    }

    [Fact]
    public async Task A_tool_that_changed_after_the_page_was_shown_is_asked_about_anew()
    {
        var question = await ada.AskedAsync(App.Web(server).Authorize());
        await ToolsAsync(
            ("look", Risk.Read),
            ("list", Risk.Read),
            ("write", Risk.Change),
            ("wipe", Risk.Destroy),
            ("new", Risk.Read));

        using var answer = await ada.PostAsync(question, "allow");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Theory, OnBoth]
    public async Task A_tool_that_came_since_the_last_agreement_is_marked_and_off(On on)
    {
        await using var town = await TestServer.StartAsync(App.Town, on);
        using var person = new Person(town);
        var app = App.Web(town);
        await ToolsAsync(town, ("look", Risk.Read), ("list", Risk.Read), ("write", Risk.Change));
        var first = await person.AskedAsync(app.Authorize());
        await person.AnswerAsync(first, "allow");
        await ToolsAsync(
            town,
            ("look", Risk.Read),
            ("list", Risk.Read),
            ("write", Risk.Change),
            ("peek", Risk.Read),
            ("wipe", Risk.Destroy));

        var second = await person.AskedAsync(app.Authorize());
        var reply = await app.RedeemAsync(new Answer((await person.AnswerAsync(second, "allow")).Left!).Code);
        var third = await person.AskedAsync(app.Authorize());

        Assert.Empty(Marked(first));
        Assert.Equal(["peek new", "wipe new"], Marked(second));
        Assert.Equal([("look", true), ("list", true), ("peek", false), ("write", true), ("wipe", false)], second.Tools);
        Assert.DoesNotContain("\"peek\"", reply.Text, StringComparison.Ordinal);
        // Seen by now, and left off: it is not new any more, and does not come on by itself.
        Assert.Empty(Marked(third));
        Assert.Equal(second.Tools, third.Tools);
    }

    [Fact]
    public async Task A_tool_that_is_described_otherwise_is_marked()
    {
        var app = App.Web(server);
        await ada.AllowAsync(app.Authorize());
        var book = server.Get<ServerBook>();
        var echo = book.Find(TenantId.Default, "echo")!;
        var tools = book.Catalogue(echo)!.Tools.Select(
            tool => tool.Name is "list" ? tool with { Hash = "sha-256:other" } : tool);
        await book.KeepCatalogueAsync(echo, new([.. tools], server.Clock.GetUtcNow()));

        var question = await ada.AskedAsync(app.Authorize());

        Assert.Equal(["list changed"], Marked(question));
        Assert.Contains(("list", true), question.Tools);
    }

    [Fact]
    public async Task What_was_not_asked_for_then_is_not_new_now()
    {
        var app = App.Web(server);
        await ada.AllowAsync(app.Authorize(("scope", "mcp:read")));

        var question = await ada.AskedAsync(app.Authorize(("scope", "mcp:read mcp:write")));

        Assert.Empty(Marked(question));
        Assert.Equal([("look", true), ("list", true), ("write", true)], question.Tools);
    }

    [Fact]
    public async Task What_is_new_is_new_to_one_person_one_copy_and_one_agreement()
    {
        var (web, peer) = (App.Web(server), App.Peer(server));
        await ada.AllowAsync(web.Authorize());
        await ToolsAsync(("look", Risk.Read), ("peek", Risk.Read));
        using var bob = new Person(server, Person.Bob);

        var denied = await ada.AskedAsync(web.Authorize());
        await ada.AnswerAsync(denied, "deny");
        var again = await ada.AskedAsync(web.Authorize());

        Assert.Equal(["peek new"], Marked(again));
        Assert.Empty(Marked(await ada.AskedAsync(peer.Authorize())));
        Assert.Empty(Marked(await bob.AskedAsync(web.Authorize())));
    }

    [Fact]
    public async Task Each_copy_of_one_client_is_seen_and_ended_alone()
    {
        var app = App.Native(server);
        using var phone = new Person(
            server, browser: "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0");
        var here = await app.LetInAsync(ada);
        var there = await app.LetInAsync(phone);
        var again = await app.LetInAsync(ada);

        var grants = (await Grants.OfAsync(server, Person.Ada)).ToDictionary(grant => grant.Id.Value);
        var (first, second, third) = (Of(here), Of(there), Of(again));
        using var page = await ada.GetAsync("/me");
        await app.RevokeAsync(there.RefreshToken);

        Assert.Equal(first.Client, second.Client);
        Assert.NotEqual(first.Installation, second.Installation);
        Assert.Equal(first.Installation, third.Installation);
        Assert.Equal("Firefox on Linux", first.InstallationName);
        Assert.Equal("Firefox on Android", second.InstallationName);
        Assert.Contains("Firefox on Android", await page.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(here.RefreshToken)).Status);
        Assert.Equal("invalid_grant", (await app.RefreshAsync(there.RefreshToken)).Error);

        Grant Of(Reply reply) => grants[reply.Claims.GetProperty("grant_id").GetString()!];
    }

    [Theory, OnBoth]
    public async Task A_question_makes_one_grant_also_when_twenty_answers_race(On on)
    {
        await using var town = await TestServer.StartAsync(App.Town, on);
        using var person = new Person(town);
        var app = App.Web(town);
        var question = await person.AskedAsync(app.Authorize());

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => person.AnswerAsync(question, "allow")));

        Assert.Single(await Grants.OfAsync(town, Person.Ada));
        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(new Answer(answers[^1].Left!).Code)).Status);
    }

    [Theory, OnBoth, Rfc(6749, "4.1.2")]
    public async Task A_question_whose_answer_was_fetched_brings_no_second_code(On on)
    {
        await using var town = await TestServer.StartAsync(App.Town, on);
        using var person = new Person(town);
        var app = App.Web(town);
        var question = await person.AskedAsync(app.Authorize());
        using var first = await person.PostAsync(question, "allow");
        var answered = first.Headers.Location!.OriginalString;
        var tokens = await app.RedeemAsync(new Answer((await person.OpenAsync(answered)).Left!).Code);

        var again = await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
            i % 2 is 0 ? await person.AnswerAsync(question, "allow") : await person.OpenAsync(answered)));

        Assert.All(again, stop => Assert.Equal((HttpStatusCode.BadRequest, null), (stop.Status, stop.Left)));
        Assert.True(await App.Watch(town).IsAliveAsync(tokens.AccessToken));
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(tokens.RefreshToken)).Status);
    }

    [Theory, InlineData("allow"), InlineData("deny")]
    public async Task A_question_that_was_answered_is_not_asked_again_when_its_page_is_opened(string decision)
    {
        var question = await ada.AskedAsync(App.Web(server).Authorize());
        await ada.AnswerAsync(question, decision);

        var again = await ada.OpenAsync(question.Address);

        Assert.Equal(HttpStatusCode.Gone, again.Status);
        Assert.Contains("was answered", again.Page!.Body!.TextContent, StringComparison.Ordinal);
        Assert.Null(again.Page.QuerySelector("form.consent"));
    }

    [Fact]
    public async Task A_refusal_cannot_be_made_a_yes_from_a_page_left_open()
    {
        var question = await ada.AskedAsync(App.Web(server).Authorize());
        await ada.AnswerAsync(question, "deny");

        using var answer = await ada.PostAsync(question, "allow");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Theory]
    [InlineData("decision", "deny")]
    [InlineData("tool", "look")]
    [InlineData("until", "86400")]
    public async Task Who_goes_back_and_answers_otherwise_is_told_that_it_was_answered(string field, string value)
    {
        var question = await ada.AskedAsync(App.Web(server).Authorize());
        await ada.AnswerAsync(question, "allow");

        using var answer = await ada.PostAsync(question, "allow", fields => fields[field] = [value]);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Null(answer.Headers.Location);
        Assert.Single(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact, Rfc("OpenID Connect Core", "5.5")]
    public async Task Who_goes_back_and_unticks_a_single_claim_does_not_get_the_answer_of_before()
    {
        await using var town = await TestServer.StartAsync(RelyingTown.Yaml);
        using var person = new Person(town);
        var question = await person.AskedAsync(RelyingTown.Site(town).Authorize(
            RelyingTown.Identity("openid", ("claims", """{"id_token":{"email":null}}"""))));
        await person.AnswerAsync(question, "allow");

        using var same = await person.PostAsync(question, "allow");
        using var other = await person.PostAsync(question, "allow", fields => fields["told"] = []);

        Assert.NotNull(same.Headers.Location);
        Assert.Equal((HttpStatusCode.BadRequest, null), (other.StatusCode, other.Headers.Location));
    }

    [Theory, OnBoth]
    public async Task Nothing_is_granted_at_a_server_that_was_removed_while_the_page_lay_open(On on)
    {
        await using var town = await TestServer.StartAsync(App.Town, on);
        using var person = new Person(town);
        await town.Get<ServerBook>().AddAsync(
            TenantId.Default,
            new("wiki", null, "https://wiki.example/mcp", new Dictionary<string, string>()),
            new() { Tenant = TenantId.Default, Kind = AuditKinds.ServerAdded });
        var question = await person.AskedAsync(App.Web(town).Authorize(("resource", $"{town.Issuer}/mcp/wiki")));
        // As it looks to a node that has not heard of it yet.
        await town.Db.WriteAsync(async unit => await unit.RunAsync($"delete from servers where name = {"wiki"}"));

        var stop = await person.AnswerAsync(question, "allow");

        Assert.Equal(HttpStatusCode.BadRequest, stop.Status);
        Assert.Contains("The server was removed", stop.Page!.Body!.TextContent, StringComparison.Ordinal);
        Assert.Empty(await Grants.OfAsync(town, Person.Ada));
    }

    [Theory, OnBoth]
    public async Task Nothing_is_granted_to_a_client_that_was_removed_while_the_page_lay_open(On on)
    {
        await using var town = await TestServer.StartAsync(App.Town, on);
        using var person = new Person(town);
        var app = await Registered.Async(town, "https://app.example/cb");
        var question = await person.AskedAsync(app.Authorize());
        await town.Db.WriteAsync(async unit => await unit.RunAsync($"delete from clients where id = {app.Id}"));

        var stop = await person.AnswerAsync(question, "allow");

        Assert.Equal(HttpStatusCode.BadRequest, stop.Status);
        Assert.Contains("not registered here any more", stop.Page!.Body!.TextContent, StringComparison.Ordinal);
        Assert.Empty(await Grants.OfAsync(town, Person.Ada));
        Assert.Empty(await town.Db.AllAsync($"select id from clients", row => row.GetString(0), default));
    }

    [Fact]
    public async Task A_question_is_over_after_ten_minutes()
    {
        var question = await ada.AskedAsync(App.Web(server).Authorize());
        server.Clock.Advance(TimeSpan.FromMinutes(10));

        using var answer = await ada.PostAsync(question, "allow");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact]
    public async Task A_person_who_is_signed_out_cannot_answer()
    {
        var question = await ada.AskedAsync(App.Web(server).Authorize());
        foreach (Cookie cookie in ada.Cookies.GetAllCookies())
        {
            cookie.Expired = cookie.Name is not "postern_browser";
        }

        using var answer = await ada.PostAsync(question, "allow");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    /// <summary>Another text by one character, which carries six bits of it.</summary>
    internal static string Altered(string text) =>
        text[..5] + (text[5] is 'A' ? 'B' : 'A') + text[6..];

    private static void Spoil(Dictionary<string, List<string>> fields, string what)
    {
        switch (what)
        {
            case "no token": fields.Remove("form"); break;
            case "empty token": fields["form"] = [""]; break;
            case "altered token": fields["form"] = [Altered(fields["form"][0])]; break;
            case "transaction as token": fields["form"] = fields["transaction"]; break;
            case "token as transaction": fields["transaction"] = fields["form"]; break;
            case "no transaction": fields.Remove("transaction"); break;
            case "nothing": fields.Clear(); break;
            default: break;
        }
    }

    private static string[] Marked(Question question) =>
    [
        .. from box in question.Form.QuerySelectorAll("input[name=tool]")
           let sign = box.Closest("li")!.QuerySelector(".sign")?.TextContent.Trim()
           where sign is not null
           select $"{box.GetAttribute("value")} {sign.Split(' ')[0]}",
    ];

    private Task ToolsAsync(params (string Name, Risk Risk)[] tools) => ToolsAsync(server, tools);

    private static async Task ToolsAsync(TestServer server, params (string Name, Risk Risk)[] tools)
    {
        var book = server.Get<ServerBook>();
        var described = tools.Select(tool => new Tool(tool.Name, null, null, tool.Risk, "sha-256:" + tool.Name));
        await book.KeepCatalogueAsync(
            book.Find(TenantId.Default, "echo")!, new([.. described], server.Clock.GetUtcNow()));
    }

    private Task<List<AuditRow>> LogAsync() => server.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
}
