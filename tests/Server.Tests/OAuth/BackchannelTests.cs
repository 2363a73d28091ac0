using System.Buffers.Text;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Postern.Approvals;
using Postern.Audit;
using Postern.Tests.Audit;

namespace Postern.Tests.OAuth;

/// <summary>OpenID CIBA: a service names a person, who finds the question on their own page.</summary>
public sealed class BackchannelTests : IAsyncLifetime
{
    private const string Ciba = "OpenID CIBA Core";

    private TestServer server = null!;
    private Person ada = null!;
    private Butler butler = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(Butler.Town());
        ada = new(server);
        await ada.SignInAsync();
        butler = Butler.Of(server);
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
    }

    [Fact, Rfc(Ciba, "7.3"), Rfc(Ciba, "10.1"), Rfc(Ciba, "11")]
    public async Task A_service_gets_what_the_person_it_named_allows()
    {
        var asked = await butler.AskAsync(("binding_message", "Table 12, 19:30"));
        var code = asked.Member("auth_req_id")!;

        var early = await butler.PollAsync(code);
        var question = await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada)));
        var done = await ada.AnswerAsync(question, "allow");
        var reply = await butler.PollAsync(code);

        Assert.Equal(HttpStatusCode.OK, asked.Status);
        Assert.True(asked.Headers.CacheControl!.NoStore);
        Assert.Equal(600, asked.Json.GetProperty("expires_in").GetInt64());
        Assert.Equal(5, asked.Json.GetProperty("interval").GetInt64());
        Assert.Matches("^[A-Za-z0-9._-]{70,}$", code);
        Gadget.Refused(early, "authorization_pending");
        Assert.Contains("You let it in", done.Page!.Body!.TextContent);
        Assert.Equal(butler.App.Resource, reply.Claims.GetProperty("aud").GetString());
        var grant = Assert.Single(await Grants.OfAsync(server, Person.Ada));
        Assert.Equal(grant.Subject.Value, reply.Claims.GetProperty("sub").GetString());
        var told = JsonElement.Parse(Base64Url.DecodeFromChars(reply.Member("id_token")!.Split('.')[1]));
        Assert.Equal("butler", told.GetProperty("aud").GetString());
        Assert.Equal(reply.Claims.GetProperty("sub").GetString(), told.GetProperty("sub").GetString());
        Assert.Equal(HttpStatusCode.OK, (await butler.App.RefreshAsync(reply.RefreshToken)).Status);
        Assert.Empty(await Butler.WaitingAsync(ada));
    }

    [Fact, Rfc(Ciba, "7.1")]
    public async Task The_page_says_who_asks_for_what_and_quotes_what_it_says()
    {
        await butler.AskAsync(("binding_message", "Click Allow, says your bank"));

        var question = await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada)));

        var text = Regex.Replace(question.Page.Body!.TextContent, "\\s+", " ");
        string[] says =
        [
            "butler wants to work in echo", "known here", "127.0.0.0/24", "“Click Allow, says your bank”",
            "It says, in its own words", "It asks by itself, and you did not come here from it",
            "The answer goes to butler", Person.Ada,
        ];
        Assert.All(says, words => Assert.Contains(words, text));
        Assert.DoesNotContain("Code on its screen", text);
    }

    [Fact, Rfc(Ciba, "11")]
    public async Task A_no_is_told_and_leaves_the_person_alone_for_a_while()
    {
        var code = (await butler.AskAsync()).Member("auth_req_id")!;
        await ada.AnswerAsync(await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada))), "deny");

        var told = await butler.PollAsync(code);
        var again = await butler.AskAsync(("binding_message", "Please"));
        var other = await Butler.Bell(server).AskAsync();
        server.Clock.Advance(AskDesk.Rest);
        var later = await butler.AskAsync(("binding_message", "Please"));

        Gadget.Refused(told, "access_denied");
        Assert.Equal((HttpStatusCode.Forbidden, "access_denied"), (again.Status, again.Error));
        Assert.Equal(HttpStatusCode.OK, other.Status);
        Assert.Equal(HttpStatusCode.OK, later.Status);
    }

    [Fact, Rfc(Ciba, "11")]
    public async Task What_nobody_answers_is_over_when_it_was_said_to_be()
    {
        var asked = await butler.AskAsync(("requested_expiry", "60"));
        var address = Assert.Single(await Butler.WaitingAsync(ada));
        server.Clock.Advance(TimeSpan.FromSeconds(60));

        var stop = await ada.OpenAsync(address);

        Assert.Equal(60, asked.Json.GetProperty("expires_in").GetInt64());
        Gadget.Refused(await butler.PollAsync(asked.Member("auth_req_id")!), "expired_token");
        Assert.Equal(HttpStatusCode.BadRequest, stop.Status);
        Assert.Empty(await Butler.WaitingAsync(ada));
    }

    [Theory, Rfc(Ciba, "7.1")]
    [InlineData(null, 600)]
    [InlineData("1", 30)]
    [InlineData("300", 300)]
    [InlineData("3600", 3600)]
    [InlineData("99999999999", 3600)]
    public async Task How_long_a_person_has_is_within_bounds(string? wanted, long given) => Assert.Equal(
        given, (await butler.AskAsync(("requested_expiry", wanted))).Json.GetProperty("expires_in").GetInt64());

    [Fact, Rfc(Ciba, "11")]
    public async Task Who_polls_too_soon_is_slowed_down()
    {
        var code = (await butler.AskAsync()).Member("auth_req_id")!;

        Gadget.Refused(await butler.PollAsync(code), "authorization_pending");
        Gadget.Refused(await butler.PollAsync(code), "slow_down");
        server.Clock.Advance(TimeSpan.FromSeconds(5));
        Gadget.Refused(await butler.PollAsync(code), "slow_down");
        server.Clock.Advance(TimeSpan.FromSeconds(15));
        Gadget.Refused(await butler.PollAsync(code), "authorization_pending");
    }

    [Fact, Rfc(Ciba, "10.1.1")]
    public async Task An_answer_is_fetched_once()
    {
        var code = (await butler.AskAsync()).Member("auth_req_id")!;
        await ada.AnswerAsync(await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada))), "allow");

        var first = await butler.PollAsync(code);
        var second = await butler.PollAsync(code);

        Assert.Equal(HttpStatusCode.OK, first.Status);
        Gadget.Refused(second, "invalid_grant");
    }

    [Fact]
    public async Task Only_the_person_who_was_named_sees_and_answers_the_question()
    {
        using var bob = new Person(server, Person.Bob);
        await bob.SignInAsync();
        var code = (await butler.AskAsync()).Member("auth_req_id")!;
        var question = await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada)));

        var opened = await bob.OpenAsync(question.Address);
        using var answered = await bob.PostAsync(question, "allow");

        Assert.Empty(await Butler.WaitingAsync(bob));
        Assert.Equal(HttpStatusCode.NotFound, opened.Status);
        Assert.Equal(HttpStatusCode.NotFound, answered.StatusCode);
        Gadget.Refused(await butler.PollAsync(code), "authorization_pending");
    }

    [Fact]
    public async Task The_question_is_found_by_its_address_after_signing_in()
    {
        await butler.AskAsync();
        var address = Assert.Single(await Butler.WaitingAsync(ada));
        using var phone = new Person(server);

        var question = await phone.AskedAsync(address);

        Assert.Equal(address, question.Address);
    }

    [Fact, Rfc(Ciba, "10.2")]
    public async Task A_service_that_wants_to_be_told_is_told_that_there_is_an_answer()
    {
        await using var host = new DocumentHost();
        await using var told = await TestServer.StartAsync(host.Settings + Butler.Town(host.At("/told")));
        using var person = new Person(told);
        host.Put("/told", "what nobody reads");
        var bell = Butler.Bell(told);
        var code = (await bell.AskAsync()).Member("auth_req_id")!;

        await person.AnswerAsync(await person.AskedAsync(Assert.Single(await Butler.WaitingAsync(person))), "allow");
        await Eventually.TrueAsync(() => !host.Heard.IsEmpty);

        var heard = Assert.Single(host.Heard);
        Assert.StartsWith("POST /told ", heard, StringComparison.Ordinal);
        Assert.Contains($"Authorization: Bearer {Butler.Token}\r\n", heard, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/json", heard, StringComparison.Ordinal);
        Assert.EndsWith($$"""{"auth_req_id":"{{code}}"}""", heard, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await bell.PollAsync(code)).Status);
        // The token by which it knows us is nowhere to be read.
        var kept = await told.Db.AllAsync($"select notify from asks", row => row.GetString(0), default);
        Assert.DoesNotContain(kept, text => text.Contains(Butler.Token, StringComparison.Ordinal));
        Assert.DoesNotContain(told.Log.All, line => line.Contains(Butler.Token, StringComparison.Ordinal));
    }

    [Theory, Rfc(Ciba, "10.2"), InlineData("allow"), InlineData("deny")]
    public async Task Of_an_answer_that_is_sent_twenty_times_at_once_the_service_hears_once(string decision)
    {
        await using var host = new DocumentHost();
        await using var told = await TestServer.StartAsync(host.Settings + Butler.Town(host.At("/told")));
        using var person = new Person(told);
        host.Put("/told", "heard");
        var bell = Butler.Bell(told);
        var first = (await bell.AskAsync()).Member("auth_req_id")!;
        var question = await person.AskedAsync(Assert.Single(await Butler.WaitingAsync(person)));

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => person.AnswerAsync(question, decision)));
        await person.AnswerAsync(question, decision);
        // The news of another answer is sent after all of these.
        told.Clock.Advance(TimeSpan.FromMinutes(6));
        var other = (await bell.AskAsync(("binding_message", "other"))).Member("auth_req_id")!;
        await person.AnswerAsync(await person.AskedAsync(Assert.Single(await Butler.WaitingAsync(person))), "allow");
        await Eventually.TrueAsync(() => host.Heard.Any(news => news.Contains(other, StringComparison.Ordinal)));

        Assert.Single(host.Heard, news => news.Contains(first, StringComparison.Ordinal));
    }

    [Theory, Rfc(Ciba, "10.2")]
    [InlineData("401 Unauthorized")]
    [InlineData("403 Forbidden")]
    public async Task A_service_that_refuses_the_news_is_not_told_again_and_may_still_come(string status)
    {
        await using var host = new DocumentHost();
        await using var told = await TestServer.StartAsync(host.Settings + Butler.Town(host.At("/told")));
        using var person = new Person(told);
        host.Put("/told", "no", $"HTTP/1.1 {status}\r\nContent-Type: text/plain");
        var bell = Butler.Bell(told);
        var code = (await bell.AskAsync()).Member("auth_req_id")!;

        await person.AnswerAsync(await person.AskedAsync(Assert.Single(await Butler.WaitingAsync(person))), "deny");
        await Eventually.TrueAsync(() => !host.Heard.IsEmpty);
        Gadget.Refused(await bell.PollAsync(code), "access_denied");

        Assert.Single(host.Heard);
    }

    [Fact, Rfc(Ciba, "10"), Rfc(Ciba, "10.1")]
    public async Task A_service_hears_in_its_registered_way_alone_and_one_that_is_told_may_ask_as_well()
    {
        await using var host = new DocumentHost();
        await using var told = await TestServer.StartAsync(host.Settings + Butler.Town(host.At("/told")));
        using var person = new Person(told);
        host.Put("/told", "");
        var (silent, bell) = (Butler.Of(told), Butler.Bell(told));
        // It may say how it knows us, and is not told all the same.
        await silent.AskAsync(("client_notification_token", Butler.Token));
        await person.AnswerAsync(await person.AskedAsync(Assert.Single(await Butler.WaitingAsync(person))), "allow");
        var code = (await bell.AskAsync()).Member("auth_req_id")!;

        Gadget.Refused(await bell.PollAsync(code), "authorization_pending");
        await person.AnswerAsync(await person.AskedAsync(Assert.Single(await Butler.WaitingAsync(person))), "allow");
        await Eventually.TrueAsync(() => !host.Heard.IsEmpty);

        Assert.Contains(code, Assert.Single(host.Heard), StringComparison.Ordinal);
    }

    [Fact, Rfc(Ciba, "7.2")]
    public async Task What_is_not_known_of_a_question_changes_nothing_of_it()
    {
        var asked = await butler.AskAsync(
            ("unheard_of", "x"), ("prompt", "none"), ("redirect_uri", "https://evil.example"));

        Assert.Equal(HttpStatusCode.OK, asked.Status);
        Assert.Single(await Butler.WaitingAsync(ada));
    }

    [Fact, Rfc(Ciba, "10.2")]
    public async Task A_redirect_of_the_news_is_not_followed()
    {
        await using var host = new DocumentHost();
        await using var told = await TestServer.StartAsync(host.Settings + Butler.Town(host.At("/told")));
        using var person = new Person(told);
        host.Put("/told", "", $"HTTP/1.1 301 Moved\r\nLocation: {host.At("/elsewhere")}");
        var bell = Butler.Bell(told);
        var code = (await bell.AskAsync()).Member("auth_req_id")!;

        await person.AnswerAsync(await person.AskedAsync(Assert.Single(await Butler.WaitingAsync(person))), "allow");
        await Eventually.TrueAsync(() => !host.Heard.IsEmpty);

        Assert.Equal(HttpStatusCode.OK, (await bell.PollAsync(code)).Status);
        Assert.All(host.Heard, heard => Assert.StartsWith("POST /told ", heard, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_question_and_its_answer_stand_in_the_log()
    {
        await butler.AskAsync();
        await ada.AnswerAsync(await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada))), "allow");

        var kinds = (await Chain.VerifiedAsync(server))
            .Select(record => record.GetProperty("kind").GetString())
            .ToList();

        Assert.Contains(AuditKinds.GrantAsked, kinds);
        Assert.Contains(AuditKinds.GrantApproved, kinds);
    }

    [Theory, OnBoth]
    public async Task Fifty_requests_that_are_the_same_are_one_question(On on)
    {
        await using var town = await TestServer.StartAsync(Butler.Town(), on);
        using var person = new Person(town);
        var asks = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Butler.Of(town).AskAsync()));

        var other = await Butler.Of(town).AskAsync(("binding_message", "Another"));

        // One has the code. To the others it would be the code of somebody else's sign-in.
        var first = Assert.Single(asks, reply => reply.Status is HttpStatusCode.OK);
        Assert.All(asks.Where(reply => reply != first), reply => Assert.Equal(
            (HttpStatusCode.TooManyRequests, "temporarily_unavailable"), (reply.Status, reply.Error)));
        Assert.NotEqual(first.Member("auth_req_id"), other.Member("auth_req_id"));
        Assert.Equal(2, (await Butler.WaitingAsync(person)).Count);
    }

    [Theory, Rfc(Ciba, "7.1")]
    [InlineData("acr_values", "phr")]
    [InlineData("requested_expiry", "30")]
    [InlineData("scope", "openid mcp:read")]
    [InlineData("binding_message", "Another")]
    [InlineData("client_notification_token", "another-token-another-token")]
    public async Task Requests_that_differ_in_anything_are_two_questions(string name, string value)
    {
        var service = name is "client_notification_token" ? Butler.Bell(server) : butler;
        var one = await service.AskAsync();

        var two = await service.AskAsync((name, value));

        Assert.Equal(HttpStatusCode.OK, two.Status);
        Assert.NotEqual(one.Member("auth_req_id"), two.Member("auth_req_id"));
        Assert.Equal(2, (await Butler.WaitingAsync(ada)).Count);
    }

    [Fact, Rfc(Ciba, "7.1"), Rfc("FAPI-CIBA", "5.2.2")]
    [Combines("step-up", "CIBA")]
    public async Task A_question_that_wants_a_stronger_sign_in_is_allowed_after_one_and_denied_without()
    {
        var code = (await butler.AskAsync(("acr_values", "nonsense phr"))).Member("auth_req_id")!;
        var address = Assert.Single(await Butler.WaitingAsync(ada));

        var weak = await ada.AnswerAsync(await ada.AskedAsync(address), "allow");
        var pending = await butler.PollAsync(code);
        await SignedInByPasskeyAsync();
        var done = await ada.AnswerAsync(await ada.AskedAsync(address), "allow");
        server.Clock.Advance(TimeSpan.FromSeconds(5));
        var reply = await butler.PollAsync(code);

        Assert.Contains("signed in with a passkey", weak.Page!.Body!.TextContent);
        Gadget.Refused(pending, "authorization_pending");
        Assert.Contains("You let it in", done.Page!.Body!.TextContent);
        Assert.Equal("phr", reply.Claims.GetProperty("acr").GetString());
        Assert.Equal("phr", Jwt.Claims(reply.Member("id_token")!).GetProperty("acr").GetString());

        await butler.AskAsync(("acr_values", "phr"), ("login_hint", Person.Bob));
        using var bob = new Person(server, Person.Bob);
        await bob.SignInAsync();
        var no = await bob.AnswerAsync(await bob.AskedAsync(Assert.Single(await Butler.WaitingAsync(bob))), "deny");
        Assert.Equal(HttpStatusCode.OK, no.Status);
    }

    // As if her session had begun with a passkey, which takes a real browser.
    private Task SignedInByPasskeyAsync() => server.Db.WriteAsync(async unit =>
    {
        foreach (var id in await unit.AllAsync($"select id from sessions", row => row.GetString(0)))
        {
            await unit.RunAsync($"update sessions set method = {"passkey"} where id = {id}");
            unit.Announce("session", TenantId.Default, id);
        }
    });

    [Theory, OnBoth]
    public async Task One_person_is_asked_few_questions_at_a_time(On on)
    {
        await using var town = await TestServer.StartAsync(Butler.Town(), on);
        var service = Butler.Of(town);
        for (var n = 0; n < AskDesk.PerPerson; n++)
        {
            Assert.Equal(HttpStatusCode.OK, (await service.AskAsync(("binding_message", $"Number {n}"))).Status);
        }

        var full = await service.AskAsync(("binding_message", "One more"));
        var other = await service.AskAsync(("login_hint", Person.Bob));

        Assert.Equal((HttpStatusCode.TooManyRequests, "temporarily_unavailable"), (full.Status, full.Error));
        Assert.Equal(HttpStatusCode.OK, other.Status);
    }
}
