using System.Net;
using Postern.Audit;
using Postern.Grants;
using Postern.Identity.SignIn;

namespace Postern.Tests.Identity;

public sealed class SignInTests(House house) : IClassFixture<House>
{
    private const string Session = "postern_session", Browser = "postern_browser";

    [Fact]
    public async Task A_form_without_a_length_is_no_longer_than_one_with_it()
    {
        using var ada = new Visitor(house.Address);
        var page = await ada.PageAsync("/signin");
        var filler = Enumerable.Range(0, 10).Select(i => ($"filler{i}", new string('x', 30 * 1024)));

        using var answer = await ada.SubmitAsync(
            page.Forms["signin"]!,
            "/signin",
            isChunked: true,
            [("email", House.Email), ("password", House.Password), .. filler]);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.False(await IsInAsync(ada));
    }

    [Theory]
    [InlineData("utf-7")]
    [InlineData("utf-16")]
    [InlineData("no-such-thing")]
    public async Task A_form_in_another_alphabet_is_refused_and_nothing_breaks(string charset)
    {
        using var ada = new Visitor(house.Address);
        await ada.PageAsync("/signin");

        using var answer = await ada.PostAsync("/signin", "a=b", charset);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task A_person_signs_in_and_the_log_says_so()
    {
        using var ada = new Visitor(house.Address);

        using var answer = await ada.SignInAsync(House.Email, House.Password);

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Equal("/me", answer.Headers.Location!.OriginalString);
        Assert.Contains("HttpOnly", SetCookie(answer, Session), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", SetCookie(answer, Session), StringComparison.OrdinalIgnoreCase);
        Assert.Contains(House.Email, (await ada.PageAsync("/me")).Body!.TextContent);
        Assert.NotEmpty(await house.LoggedAsync(AuditKinds.UserLogin));
    }

    [Fact]
    public async Task Without_a_session_a_persons_page_leads_to_the_door()
    {
        using var nobody = new Visitor(house.Address);

        using var answer = await nobody.GetAsync("/me");

        Assert.Equal("/signin", answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task An_unknown_address_and_a_wrong_password_get_the_same_page()
    {
        using var stranger = new Visitor(house.Address, "127.0.20.1");

        using var unknown = await stranger.SignInAsync("nobody@example.test", House.Password);
        using var wrong = await stranger.SignInAsync(House.Email, "wrong-horse-battery-staple");

        Assert.Equal(unknown.StatusCode, wrong.StatusCode);
        Assert.Equal(await AlertAsync(unknown), await AlertAsync(wrong));
        Assert.Contains(await house.LoggedAsync(AuditKinds.UserFailed), record => record.Contains("wrong password"));
    }

    [Fact]
    public async Task Each_sign_in_makes_a_new_session_and_ends_the_one_before()
    {
        using var ada = new Visitor(house.Address);
        (await ada.SignInAsync(House.Email, House.Password)).Dispose();
        var before = ada.Cookie(Session)!;

        (await ada.SignInAsync(House.Email, House.Password)).Dispose();

        Assert.NotEqual(before, ada.Cookie(Session));
        ada.SetCookie(Session, before);
        Assert.False(await IsInAsync(ada));
    }

    [Fact]
    public async Task A_session_that_was_signed_out_stays_out_when_its_cookie_is_replayed()
    {
        using var ada = new Visitor(house.Address);
        (await ada.SignInAsync(House.Email, House.Password)).Dispose();
        var cookie = ada.Cookie(Session)!;
        var me = await ada.PageAsync("/me");

        using var answer = await ada.SubmitAsync(Form(me, "/signout"), "/me");

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Null(ada.Cookie(Session));
        ada.SetCookie(Session, cookie);
        Assert.False(await IsInAsync(ada));
    }

    [Fact]
    public async Task After_one_person_signed_out_the_next_one_on_the_same_browser_is_somebody_else()
    {
        using var shared = new Visitor(house.Address);
        (await shared.SignInAsync(House.Email, House.Password)).Dispose();
        (await shared.SubmitAsync(Form(await shared.PageAsync("/me"), "/signout"), "/me")).Dispose();

        (await shared.SignInAsync(House.OtherEmail, House.OtherPassword)).Dispose();

        var page = (await shared.PageAsync("/me")).Body!.TextContent;
        Assert.Contains(House.OtherEmail, page);
        Assert.DoesNotContain(House.Email, page);
    }

    [Fact]
    public async Task A_cookie_with_any_character_changed_opens_nothing()
    {
        using var ada = new Visitor(house.Address);
        (await ada.SignInAsync(House.Email, House.Password)).Dispose();
        var good = ada.Cookie(Session)!;

        foreach (var bad in Enumerable.Range(0, good.Length).Select(
            at => good[..at] + (good[at] is 'A' ? 'B' : 'A') + good[(at + 1)..])
            .Concat([good[..^1], good + "A", good[..4], "pss_", good[4..], good + "=", "pss_" + new string('A', 43)])
            .Where(bad => bad != good))
        {
            ada.SetCookie(Session, bad);
            Assert.False(await IsInAsync(ada), bad);
        }

        ada.SetCookie(Session, good);
        Assert.True(await IsInAsync(ada));
    }

    [Fact]
    public async Task A_session_ends_by_rest_and_by_age()
    {
        await using var own = new House();
        await own.InitializeAsync();
        using var ada = new Visitor(own.Address);
        (await ada.SignInAsync(House.Email, House.Password)).Dispose();

        for (var days = 0; days < 24; days += 6)
        {
            own.Clock.Advance(TimeSpan.FromDays(6));
            Assert.True(await IsInAsync(ada));
        }

        own.Clock.Advance(TimeSpan.FromDays(6));
        Assert.False(await IsInAsync(ada));

        (await ada.SignInAsync(House.Email, House.Password)).Dispose();
        own.Clock.Advance(TimeSpan.FromDays(7));
        Assert.False(await IsInAsync(ada));
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("null")]
    [InlineData(null)]
    public async Task A_form_that_does_not_come_from_our_origin_is_refused(string? origin)
    {
        using var ada = new Visitor(house.Address) { Origin = origin };

        using var answer = await ada.SignInAsync(House.Email, House.Password);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Null(ada.Cookie(Session));
    }

    [Fact]
    public async Task A_form_made_for_another_browser_is_refused()
    {
        using var attacker = new Visitor(house.Address);
        using var victim = new Visitor(house.Address);
        var page = await attacker.PageAsync("/signin");
        await victim.PageAsync("/signin");

        using var answer = await victim.SubmitAsync(
            page.Forms["signin"]!, "/signin", ("email", House.OtherEmail), ("password", House.OtherPassword));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Null(victim.Cookie(Session));
    }

    [Fact]
    public async Task A_request_that_waits_is_named_and_gone_back_to()
    {
        using var ada = new Visitor(house.Address);
        var path = "/signin?transaction=" + await TransactionAsync(ada, "https://claude.ai/callback");

        var page = await ada.PageAsync(path);
        using var answer = await ada.SignInAsync(House.Email, House.Password, path);

        Assert.Contains("claude.ai", page.Body!.TextContent);
        Assert.StartsWith("/authorize?transaction=", answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task A_request_begun_in_another_browser_is_not_gone_on_with()
    {
        using var attacker = new Visitor(house.Address);
        using var victim = new Visitor(house.Address);
        await victim.PageAsync("/signin");
        var path = "/signin?transaction=" + await TransactionAsync(attacker, "https://evil.example/callback");

        var page = await victim.PageAsync(path);
        using var answer = await victim.SignInAsync(House.Email, House.Password, path);

        Assert.DoesNotContain("evil.example", page.Body!.TextContent);
        Assert.Contains("another browser", page.Body.TextContent);
        Assert.Equal("/me", answer.Headers.Location!.OriginalString);
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    public async Task No_address_is_taken_from_the_request(string to)
    {
        using var ada = new Visitor(house.Address);

        using var answer = await ada.SignInAsync(House.Email, House.Password, "/signin?to=" + Uri.EscapeDataString(to));

        Assert.Equal("/me", answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Guessing_is_put_off_but_locks_out_neither_another_network_nor_a_known_browser()
    {
        await using var own = new House();
        await own.InitializeAsync();
        using var known = new Visitor(own.Address);
        (await known.SignInAsync(House.Email, House.Password)).Dispose();
        using var guesser = new Visitor(own.Address);
        for (var tries = 0; tries < SignInThrottle.PerAccount; tries++)
        {
            (await guesser.SignInAsync(House.Email, "wrong-horse-battery-staple")).Dispose();
        }

        using var late = await guesser.SignInAsync(House.Email, House.Password);
        using var elsewhere = new Visitor(own.Address, "127.0.30.1");
        using var fromElsewhere = await elsewhere.SignInAsync(House.Email, House.Password);
        using var fromKnown = await known.SignInAsync(House.Email, House.Password);

        Assert.Equal(HttpStatusCode.TooManyRequests, late.StatusCode);
        Assert.Contains("Wait 15 minutes", await AlertAsync(late));
        Assert.Equal(SignInThrottle.Window, late.Headers.RetryAfter!.Delta);
        Assert.Equal(HttpStatusCode.SeeOther, fromElsewhere.StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, fromKnown.StatusCode);

        own.Clock.Advance(SignInThrottle.Window);
        using var later = await guesser.SignInAsync(House.Email, House.Password);
        Assert.Equal(HttpStatusCode.SeeOther, later.StatusCode);
    }

    [Fact]
    public async Task Answers_of_no_passkey_lock_no_known_browser_of_the_same_network_out()
    {
        await using var own = new House();
        await own.InitializeAsync();
        using var known = new Visitor(own.Address);
        (await known.SignInAsync(House.Email, House.Password)).Dispose();
        using var stranger = new Visitor(own.Address);
        for (var tries = 0; tries < SignInThrottle.PerNetwork; tries++)
        {
            (await TryAsync(stranger)).Dispose();
        }

        using var late = await TryAsync(stranger);
        using var heard = await TryAsync(known);

        Assert.Equal(HttpStatusCode.TooManyRequests, late.StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, heard.StatusCode);

        static async Task<HttpResponseMessage> TryAsync(Visitor visitor) => await visitor.SubmitAsync(
            (await visitor.PageAsync("/signin")).Forms["signin"]!, "/signin", ("passkey", "{}"));
    }

    [Fact]
    public async Task Fifty_tries_side_by_side_count_fifty_times()
    {
        await using var own = new House();
        await own.InitializeAsync();
        using var guesser = new Visitor(own.Address);
        var page = await guesser.PageAsync("/signin");

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(n => guesser.SubmitAsync(
            page.Forms["signin"]!, "/signin", ("email", House.Email), ("password", $"wrong-horse-battery-{n}"))));

        Assert.Equal(
            50 - SignInThrottle.PerAccount,
            answers.Count(answer => answer.StatusCode is HttpStatusCode.TooManyRequests));
        Array.ForEach(answers, answer => answer.Dispose());
    }

    [Fact]
    public async Task The_console_is_for_administrators()
    {
        using var ada = new Visitor(house.Address);
        using var bob = new Visitor(house.Address);
        (await ada.SignInAsync(House.Email, House.Password, "/signin?to=console")).Dispose();
        (await bob.SignInAsync(House.OtherEmail, House.OtherPassword)).Dispose();

        using var adas = await ada.GetAsync("/console");
        using var bobs = await bob.GetAsync("/console");

        Assert.Equal(HttpStatusCode.OK, adas.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, bobs.StatusCode);
    }

    internal static AngleSharp.Html.Dom.IHtmlFormElement Form(AngleSharp.Html.Dom.IHtmlDocument page, string action) =>
        page.Forms.Single(form => form.GetAttribute("action") == action);

    internal static async Task<bool> IsInAsync(Visitor visitor)
    {
        using var answer = await visitor.GetAsync("/me");
        return answer.StatusCode is HttpStatusCode.OK;
    }

    private static async Task<string> AlertAsync(HttpResponseMessage answer) =>
        (await Visitor.ReadAsync(answer)).QuerySelector("[role=alert]")!.TextContent.Trim();

    private static string SetCookie(HttpResponseMessage answer, string name) =>
        answer.Headers.GetValues("Set-Cookie").Single(
            cookie => cookie.StartsWith(name + "=", StringComparison.Ordinal));

    private async Task<string> TransactionAsync(Visitor visitor, string redirect)
    {
        await visitor.PageAsync("/signin");
        return house.Get<Proposals>().Seal(
            TenantId.Default,
            new()
            {
                Id = "p",
                Client = "c",
                ClientName = "n",
                RedirectUri = redirect,
                Scope = "mcp:read",
                Resource = "http://localhost/mcp/notes",
                Challenge = new string('c', 43),
                CreatedAt = house.Clock.GetUtcNow().ToUnixTimeSeconds(),
            },
            new Secret(visitor.Cookie(Browser)!).Hash());
    }
}
