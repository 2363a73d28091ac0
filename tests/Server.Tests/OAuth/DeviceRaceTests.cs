using System.Net;
using Postern.Approvals;
using Postern.Audit;

namespace Postern.Tests.OAuth;

/// <summary>One winner, few at a time, and no way to try codes out (RFC 8628).</summary>
public sealed class DeviceRaceTests
{
    [Theory, OnBoth]
    public async Task A_question_has_one_answer_when_twenty_race(On on)
    {
        await using var town = await TestServer.StartAsync(Gadget.Town, on);
        using var person = new Person(town);
        await person.SignInAsync();
        var gadget = Gadget.Tv(town);
        var asked = await gadget.AskAsync();
        var question = await Gadget.BringAsync(person, asked.Member("user_code")!);

        await Task.WhenAll(
            Enumerable.Range(0, 20).Select(n => person.AnswerAsync(question, n % 2 is 0 ? "allow" : "deny")));

        var reply = await gadget.PollAsync(asked.Member("device_code")!);
        var isYes = reply.Status is HttpStatusCode.OK;
        Assert.Equal(isYes ? null : "access_denied", reply.Error);
        Assert.Equal(isYes ? 1 : 0, (await Grants.OfAsync(town, Person.Ada)).Count);
        Assert.Single(
            await LogAsync(town), kind => kind is AuditKinds.GrantApproved or AuditKinds.GrantDenied);
    }

    [Theory, OnBoth]
    public async Task Of_two_people_who_bring_one_code_at_once_one_is_asked(On on)
    {
        await using var town = await TestServer.StartAsync(Gadget.Town, on);
        using var one = new Person(town);
        using var two = new Person(town, Person.Bob);
        await Task.WhenAll(one.SignInAsync(), two.SignInAsync());
        var code = (await Gadget.Tv(town).AskAsync()).Member("user_code")!;

        var typed = await Task.WhenAll(
            Enumerable.Range(0, 10).Select(n => Gadget.TypeAsync(n % 2 is 0 ? one : two, code)));

        var places = typed.Select(answer => answer.Headers.Location is not null).ToList();
        Assert.True(places.Where((_, n) => n % 2 is 0).All(isAsked => isAsked) ^ places.Where((_, n) => n % 2 is 1)
            .All(isAsked => isAsked));
        Assert.Equal(5, places.Count(isAsked => isAsked));
        Array.ForEach(typed, answer => answer.Dispose());
    }

    [Theory, OnBoth, Rfc(8628, "3.4")]
    public async Task Of_fifty_polls_at_once_one_has_the_tokens_and_they_stay_good(On on)
    {
        await using var town = await TestServer.StartAsync(Gadget.Town, on);
        using var person = new Person(town);
        var gadget = Gadget.Tv(town);
        var code = await gadget.AnsweredAsync(person);

        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => gadget.PollAsync(code)));

        var winner = Assert.Single(replies, reply => reply.Status is HttpStatusCode.OK);
        Assert.All(replies.Except([winner]), reply => Gadget.Refused(reply, "invalid_grant"));
        Assert.Equal(HttpStatusCode.OK, (await gadget.App.RefreshAsync(winner.RefreshToken)).Status);
    }

    [Fact, Rfc(9700, "2.1.1")]
    public async Task A_code_that_comes_again_later_ends_what_it_gave()
    {
        await using var server = await TestServer.StartAsync(Gadget.Town);
        using var ada = new Person(server);
        var tv = Gadget.Tv(server);
        var code = await tv.AnsweredAsync(ada);
        var reply = await tv.PollAsync(code);
        server.Clock.Advance(TimeSpan.FromMinutes(1));

        Gadget.Refused(await tv.PollAsync(code), "invalid_grant");
        Gadget.Refused(await tv.App.RefreshAsync(reply.RefreshToken), "invalid_grant");
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact, Rfc(8628, "5.1")]
    public async Task Codes_cannot_be_tried_out()
    {
        await using var server = await TestServer.StartAsync(Gadget.Town);
        using var ada = new Person(server);
        var tv = Gadget.Tv(server);
        for (var n = 0; n < 10; n++)
        {
            using var wrong = await Gadget.TypeAsync(ada, "BBBB-BBBB");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        }

        var code = (await tv.AskAsync()).Member("user_code")!;
        using var late = await Gadget.TypeAsync(ada, code);
        server.Clock.Advance(TimeSpan.FromMinutes(15));
        code = (await tv.AskAsync()).Member("user_code")!;
        using var again = await Gadget.TypeAsync(ada, code);

        Assert.Equal(HttpStatusCode.TooManyRequests, late.StatusCode);
        Assert.NotNull(late.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.SeeOther, again.StatusCode);
    }

    [Theory, OnBoth]
    public async Task One_network_makes_few_questions_wait(On on)
    {
        await using var town = await TestServer.StartAsync(Gadget.Town, on);
        var gadget = Gadget.Tv(town);
        for (var n = 0; n < AskDesk.PerNetwork; n++)
        {
            Assert.Equal(HttpStatusCode.OK, (await gadget.AskAsync()).Status);
        }

        var full = await gadget.AskAsync();
        town.Clock.Advance(TimeSpan.FromMinutes(21));
        var later = await gadget.AskAsync();

        Assert.Equal((HttpStatusCode.TooManyRequests, "temporarily_unavailable"), (full.Status, full.Error));
        Assert.NotNull(full.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.OK, later.Status);
        // What is over is not kept.
        Assert.Single(await Gadget.WaitingAsync(town));
    }

    [Theory, OnBoth]
    public async Task Strangers_take_no_room_from_clients_that_an_operator_knows(On on)
    {
        await using var town = await TestServer.StartAsync(Butler.Town(), on);
        var (gadget, radio) = (Gadget.Tv(town), Gadget.Radio(town));
        for (var n = 0; n < AskDesk.PerNetwork; n++)
        {
            await radio.AskAsync();
            Assert.Equal(HttpStatusCode.OK, (await gadget.AskAsync()).Status);
        }

        var stranger = await gadget.AskAsync();
        var known = await radio.AskAsync();
        var butler = await Butler.Of(town).AskAsync();

        Assert.Equal("temporarily_unavailable", stranger.Error);
        Assert.Equal(HttpStatusCode.OK, known.Status);
        Assert.Equal(HttpStatusCode.OK, butler.Status);
    }

    [Fact]
    public async Task A_poll_reads_no_table()
    {
        await using var server = await TestServer.StartAsync(Gadget.Town);
        var tv = Gadget.Tv(server);
        var code = (await tv.AskAsync()).Member("device_code")!;
        Gadget.Refused(await tv.PollAsync(code), "authorization_pending");
        await server.Db.WriteAsync(async unit => await unit.RunAsync($"delete from asks"));
        server.Clock.Advance(TimeSpan.FromSeconds(5));

        Gadget.Refused(await tv.PollAsync(code), "authorization_pending");
    }

    [Fact]
    public async Task What_one_node_is_answered_the_other_hears()
    {
        await using var first = await TestServer.StartAsync(Gadget.Town, On.Postgres);
        await using var second = await TestServer.StartAsync(Gadget.Town, like: first);
        using var person = new Person(second.Issuer, second.Http.BaseAddress!);
        var gadget = Gadget.Tv(first);
        var asked = await gadget.AskAsync();
        Gadget.Refused(await gadget.PollAsync(asked.Member("device_code")!), "authorization_pending");

        await person.AnswerAsync(await Gadget.BringAsync(person, asked.Member("user_code")!), "allow");

        await Eventually.TrueAsync(async () =>
            (await gadget.PollAsync(asked.Member("device_code")!)).Status is HttpStatusCode.OK);
    }

    private static Task<List<string>> LogAsync(TestServer server) =>
        server.Db.AllAsync($"select kind from audit_entries", row => row.GetString(0), default);
}
