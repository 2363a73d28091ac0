using System.Net;
using System.Text.RegularExpressions;
using Postern.Audit;

namespace Postern.Tests.OAuth;

/// <summary>RFC 8628: a device shows a code, its person answers on another screen.</summary>
public sealed class DeviceTests : IAsyncLifetime
{
    private TestServer server = null!;
    private Person ada = null!;
    private Gadget tv = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(Gadget.Town);
        ada = new(server);
        await ada.SignInAsync();
        tv = Gadget.Tv(server);
    }

    public async ValueTask DisposeAsync()
    {
        ada.Dispose();
        await server.DisposeAsync();
    }

    [Fact, Rfc(8628, "3.4"), Rfc(8628, "3.5")]
    public async Task A_device_gets_what_its_person_allows_elsewhere()
    {
        var asked = await tv.AskAsync();
        var code = asked.Member("device_code")!;

        var early = await tv.PollAsync(code);
        var question = await Gadget.BringAsync(ada, asked.Member("user_code")!);
        var done = await ada.AnswerAsync(question, "allow");
        var reply = await tv.PollAsync(code);

        Gadget.Refused(early, "authorization_pending");
        Assert.Contains("You let it in", done.Page!.Body!.TextContent);
        Assert.Equal("mcp:read mcp:write offline_access", reply.Scope);
        Assert.Equal(tv.App.Resource, reply.Claims.GetProperty("aud").GetString());
        Assert.Equal("tv", reply.Claims.GetProperty("client_id").GetString());
        var grant = Assert.Single(await Grants.OfAsync(server, Person.Ada));
        Assert.Equal(grant.Id.Value, reply.Claims.GetProperty("grant_id").GetString());
        Assert.Equal(grant.Subject.Value, reply.Claims.GetProperty("sub").GetString());
        Assert.Equal(HttpStatusCode.OK, (await tv.App.RefreshAsync(reply.RefreshToken)).Status);
    }

    [Fact, Rfc(8628, "3.2"), Rfc(8628, "6.1")]
    public async Task The_answer_has_a_code_for_the_person_and_one_for_the_device()
    {
        var reply = await tv.AskAsync();

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.True(reply.Headers.CacheControl!.NoStore);
        Assert.Matches("^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", reply.Member("user_code"));
        Assert.Equal($"{server.Issuer}/device", reply.Member("verification_uri"));
        Assert.Equal(
            $"{server.Issuer}/device?user_code={reply.Member("user_code")}", reply.Member("verification_uri_complete"));
        Assert.Equal(600, reply.Json.GetProperty("expires_in").GetInt64());
        Assert.Equal(5, reply.Json.GetProperty("interval").GetInt64());
        Assert.Matches("^pdc_[0-9a-f]{32}\\.[A-Za-z0-9_-]{43}$", reply.Member("device_code"));
    }

    [Fact, Rfc(8628, "5.2"), Rfc(8628, "3.4")]
    public async Task Another_clients_code_is_as_unknown_as_one_that_never_was()
    {
        var (radio, code) = (Gadget.Radio(server), await tv.AnsweredAsync(ada));

        var foreign = await radio.PollAsync(code);
        var unknown = await radio.PollAsync($"pdc_{new string('0', 32)}.{new string('A', 43)}");

        Gadget.Refused(foreign, "invalid_grant");
        Assert.Equal(unknown.Text, foreign.Text);
        Assert.Equal(HttpStatusCode.OK, (await tv.PollAsync(code)).Status);
    }

    [Fact, Rfc(8628, "3.5")]
    public async Task Who_polls_too_soon_waits_five_seconds_longer_from_then_on()
    {
        var code = (await tv.AskAsync()).Member("device_code")!;

        Gadget.Refused(await tv.PollAsync(code), "authorization_pending");
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        Gadget.Refused(await tv.PollAsync(code), "slow_down");
        server.Clock.Advance(TimeSpan.FromSeconds(5));
        Gadget.Refused(await tv.PollAsync(code), "slow_down");
        server.Clock.Advance(TimeSpan.FromSeconds(15));
        Gadget.Refused(await tv.PollAsync(code), "authorization_pending");
        server.Clock.Advance(TimeSpan.FromSeconds(10));
        Gadget.Refused(await tv.PollAsync(code), "slow_down");
    }

    [Fact, Rfc(8628, "3.5")]
    public async Task What_nobody_answers_is_over_after_ten_minutes()
    {
        var asked = await tv.AskAsync();
        server.Clock.Advance(TimeSpan.FromMinutes(10));

        using var typed = await Gadget.TypeAsync(ada, asked.Member("user_code")!);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, typed.StatusCode);
        Gadget.Refused(await tv.PollAsync(asked.Member("device_code")!), "expired_token");
    }

    [Fact]
    public async Task A_page_left_open_allows_nothing_after_the_time_is_over()
    {
        var asked = await tv.AskAsync();
        var question = await Gadget.BringAsync(ada, asked.Member("user_code")!);
        server.Clock.Advance(TimeSpan.FromMinutes(10));

        using var answer = await ada.PostAsync(question, "allow");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
        Gadget.Refused(await tv.PollAsync(asked.Member("device_code")!), "expired_token");
    }

    [Fact, Rfc(8628, "3.5")]
    public async Task A_no_is_told_to_the_device_and_written_down()
    {
        var code = await tv.AnsweredAsync(ada, "deny");

        Gadget.Refused(await tv.PollAsync(code), "access_denied");
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact, Rfc(8628, "3.3.1"), Rfc(8628, "5.4")]
    public async Task Following_the_link_answers_nothing()
    {
        var asked = await tv.AskAsync();
        var link = asked.Member("verification_uri_complete")!;

        var stop = await ada.OpenAsync(link);
        await ada.OpenAsync(link);

        Assert.Equal(HttpStatusCode.OK, stop.Status);
        Assert.Equal(
            asked.Member("user_code"), stop.Page!.QuerySelector("input[name=user_code]")!.GetAttribute("value"));
        Assert.Contains("If somebody sent or read you the code, close this page", Text(stop));
        Gadget.Refused(await tv.PollAsync(asked.Member("device_code")!), "authorization_pending");
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact, Rfc(8628, "3.3")]
    public async Task The_code_of_a_link_survives_signing_in()
    {
        using var bob = new Person(server, Person.Bob);
        var asked = await tv.AskAsync();

        var stop = await bob.OpenAsync(asked.Member("verification_uri_complete")!);

        Assert.Equal(
            asked.Member("user_code"), stop.Page!.QuerySelector("input[name=user_code]")!.GetAttribute("value"));
    }

    [Fact]
    public async Task The_page_says_what_asks_for_what_from_where_and_by_which_code()
    {
        var asked = await tv.AskAsync();

        var question = await Gadget.BringAsync(ada, asked.Member("user_code")!);

        var text = Text(question.Page);
        string[] says =
        [
            "Lounge wants to work in echo", "known here", asked.Member("user_code")!, "127.0.0.0/24",
            "the network you are in", "just now", "We can't check which device is asking", Person.Ada,
            "If somebody sent or read you that code, deny.", "Everything that can read", "Everything that can change",
        ];
        Assert.All(says, words => Assert.Contains(words, text));
        Assert.DoesNotContain("Everything that can destroy", text);
        Assert.DoesNotContain("Not you?", text);
    }

    [Fact]
    public async Task A_device_whose_client_registered_itself_has_no_name_that_anybody_vouches_for()
    {
        var made = await Registered.PostAsync(server, $$"""
            {"client_name":"Claude","grant_types":["{{Gadget.GrantType}}"],"response_types":[],
             "token_endpoint_auth_method":"none"}
            """);
        var gadget = new Gadget(new(server, made.Member("client_id")!, ""));

        var question = await Gadget.BringAsync(ada, (await gadget.AskAsync()).Member("user_code")!);

        var text = Text(question.Page);
        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.Empty(made.Json.GetProperty("response_types").EnumerateArray());
        Assert.Contains("A program on another device wants to work in echo", text);
        Assert.Contains("not verified", text);
    }

    [Fact, Rfc(8628, "5.4")]
    public async Task The_first_person_who_brings_a_code_is_the_only_one_who_is_asked()
    {
        using var bob = new Person(server, Person.Bob);
        using var elsewhere = new Person(server);
        await bob.SignInAsync();
        await elsewhere.SignInAsync();
        var asked = await tv.AskAsync();
        var question = await Gadget.BringAsync(ada, asked.Member("user_code")!);

        foreach (var other in (Person[])[bob, elsewhere])
        {
            using var typed = await Gadget.TypeAsync(other, asked.Member("user_code")!);
            var opened = await other.OpenAsync(question.Address);
            using var answered = await other.PostAsync(question, "allow");

            Assert.Equal(HttpStatusCode.UnprocessableEntity, typed.StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, opened.Status);
            Assert.Equal(HttpStatusCode.NotFound, answered.StatusCode);
        }

        Assert.Empty(await Grants.OfAsync(server, Person.Bob));
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
        Gadget.Refused(await tv.PollAsync(asked.Member("device_code")!), "authorization_pending");
    }

    [Fact]
    public async Task A_form_that_our_page_did_not_send_brings_no_code_and_answers_nothing()
    {
        var asked = await tv.AskAsync();
        using var forged = await ada.SendAsync("/device", new() { ["user_code"] = [asked.Member("user_code")!] });
        using var foreign = await ada.SendAsync(
            "/device", new() { ["user_code"] = [asked.Member("user_code")!] }, "https://evil.example");
        var question = await Gadget.BringAsync(ada, asked.Member("user_code")!);

        using var answer = await ada.PostAsync(question, "allow", origin: "https://evil.example");
        using var crossed = await ada.PostAsync(question, "allow", fields => fields["transaction"] = ["other"]);

        Assert.All(
            [forged, foreign, answer, crossed], reply => Assert.Equal(HttpStatusCode.Forbidden, reply.StatusCode));
        Assert.Empty(await Grants.OfAsync(server, Person.Ada));
    }

    [Fact]
    public async Task A_grant_that_was_ended_before_the_device_came_gives_nothing()
    {
        var code = await tv.AnsweredAsync(ada);
        var grant = Assert.Single(await Grants.OfAsync(server, Person.Ada));
        await server.Get<Postern.Grants.GrantBook>().RevokeAsync(
            grant, new() { Tenant = TenantId.Default, Kind = AuditKinds.GrantRevoked });

        Gadget.Refused(await tv.PollAsync(code), "invalid_grant");
    }

    [Fact]
    public async Task Where_it_is_switched_off_nobody_is_asked_by_a_code()
    {
        await using var shut = await TestServer.StartAsync("device_flow: false\n" + Gadget.Town);
        var metadata = await shut.Http.GetStringAsync(
            new Uri("/.well-known/oauth-authorization-server", UriKind.Relative));

        var reply = await Gadget.Tv(shut).AskAsync();

        Assert.Equal((HttpStatusCode.Forbidden, "access_denied"), (reply.Status, reply.Error));
        Assert.DoesNotContain("device", metadata, StringComparison.Ordinal);
    }

    private static string Text(Stop stop) => Text(stop.Page!);

    private static string Text(AngleSharp.Html.Dom.IHtmlDocument page) =>
        Regex.Replace(page.Body!.TextContent, "\\s+", " ");
}
