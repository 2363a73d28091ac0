using System.Net;
using System.Text.Json;

namespace Postern.Tests.OAuth;

/// <summary>Tokens that are bound to a key, where they are made (RFC 9449 §5 to §10).</summary>
public sealed class DpopTests(Town town) : IClassFixture<Town>
{
    private static readonly (string Name, string? Value)[] AsItself = [("grant_type", "client_credentials")];

    public static TheoryData<string> Bad => [.. Proofs.AllBad];

    public static TheoryData<string> Good => [.. Proofs.AllGood];

    private TestServer Server => town.Server;

    [Fact, Rfc(9449, "5"), Rfc(9449, "6.1")]
    public async Task A_token_asked_for_with_a_proof_is_bound_to_its_key()
    {
        using var app = DpopApp.Bench(Server);
        var reply = await app.AsItselfAsync();

        Assert.Equal("DPoP", reply.Member("token_type"));
        Assert.Equal($$"""{"jkt":"{{app.Key.Thumbprint}}"}""", reply.Claims.GetProperty("cnf").ToString());
    }

    [Fact, Rfc(9449, "5")]
    public async Task Without_a_proof_it_is_a_bearer_token_as_ever()
    {
        var reply = await App.Bench(Server).AsItselfAsync();

        Assert.Equal("Bearer", reply.Member("token_type"));
        Assert.False(reply.Claims.TryGetProperty("cnf", out _));
    }

    [Theory, MemberData(nameof(Bad)), Rfc(9449, "4.3"), Rfc(9449, "5")]
    public async Task A_bad_proof_brings_no_token_and_a_good_one_after_it_does(string name)
    {
        using var app = await AcquaintedAsync();
        var bad = await app.SendAsync(AsItself, Proofs.Of(name, app.Key, app.Ask()));
        var good = await app.AsItselfAsync();

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_dpop_proof"), (bad.Status, bad.Error));
        Assert.Equal(HttpStatusCode.OK, good.Status);
    }

    [Theory, MemberData(nameof(Good)), Rfc(9449, "4.3")]
    public async Task What_says_the_same_in_other_words_is_taken(string name)
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var app = DpopApp.Bench(server);
        server.Clock.Advance(TimeSpan.FromSeconds(71));

        var reply = await app.SendAsync(AsItself, Proofs.Of(name, app.Key, app.Ask()));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
    }

    [Theory, OnBoth, Rfc(9449, "11.1")]
    public async Task Of_fifty_requests_with_one_proof_one_is_answered(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var app = DpopApp.Bench(server);
        await app.AsItselfAsync();
        var proof = app.Key.Proof(app.Ask(), nonce: app.Nonce);

        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => app.SendAsync(AsItself, proof)));

        Assert.Single(replies, reply => reply.Status is HttpStatusCode.OK);
        Assert.Equal(49, replies.Count(reply => reply.Error is "invalid_dpop_proof"));
    }

    [Fact, Rfc(9449, "11.1")]
    public async Task A_proof_that_one_node_has_seen_is_refused_at_the_other()
    {
        await using var one = await TestServer.StartAsync(App.Town, On.Postgres);
        await using var two = await TestServer.StartAsync(App.Town, like: one);
        using var here = DpopApp.Bench(one);
        using var there = DpopApp.Bench(two);
        var proofs = Enumerable.Range(0, 20).Select(_ => here.Key.Proof(here.Ask())).ToList();

        var replies = await Task.WhenAll(proofs.Select(async proof => await Task.WhenAll(
            here.SendAsync(AsItself, proof), there.SendAsync(AsItself, proof))));
        var late = await there.SendAsync(AsItself, proofs[0]);

        Assert.All(replies, both => Assert.Single(both, reply => reply.Status is HttpStatusCode.OK));
        Assert.Equal("invalid_dpop_proof", late.Error);
    }

    [Fact, Rfc(9449, "8"), Rfc(9449, "9")]
    [Rfc(9449, "8.2")]
    public async Task A_server_that_requires_nonces_says_which_and_takes_no_old_ones()
    {
        await using var server = await TestServer.StartAsync($"dpop: {{ require_nonce: true }}\n{App.Town}");
        using var app = DpopApp.Bench(server);
        server.Clock.Advance(TimeSpan.FromHours(1));

        var asked = await app.SendAsync(AsItself, app.Key.Proof(app.Ask()));
        var first = asked.Headers.GetValues("DPoP-Nonce").Single();
        var taken = await app.SendAsync(AsItself, app.Key.Proof(app.Ask(), nonce: first));
        var without = await app.SendAsync(AsItself, app.Key.Proof(app.Ask()));
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        var next = await app.SendAsync(AsItself, app.Key.Proof(app.Ask(), nonce: first));
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        var old = await app.SendAsync(AsItself, app.Key.Proof(app.Ask(), nonce: first));
        var foreign = await app.SendAsync(AsItself, app.Key.Proof(app.Ask(), nonce: "of-another-issuer"));

        Assert.Equal((HttpStatusCode.BadRequest, "use_dpop_nonce"), (asked.Status, asked.Error));
        Assert.Equal(HttpStatusCode.OK, taken.Status);
        Assert.False(taken.Headers.Contains("DPoP-Nonce"));
        Assert.Equal("use_dpop_nonce", without.Error);
        Assert.Equal(HttpStatusCode.OK, next.Status);
        Assert.NotEqual(first, next.Headers.GetValues("DPoP-Nonce").Single());
        Assert.Equal("use_dpop_nonce", old.Error);
        Assert.Equal("use_dpop_nonce", foreign.Error);
    }

    [Fact, Rfc(9449, "8")]
    public async Task Two_servers_never_give_the_same_nonce()
    {
        await using var one = await TestServer.StartAsync($"dpop: {{ require_nonce: true }}\n{App.Town}");
        await using var two = await TestServer.StartAsync($"dpop: {{ require_nonce: true }}\n{App.Town}");
        using var here = DpopApp.Bench(one);
        using var there = DpopApp.Bench(two);
        await here.AsItselfAsync();
        await there.AsItselfAsync();

        var foreign = await there.SendAsync(AsItself, there.Key.Proof(there.Ask(), nonce: here.Nonce));

        // Of the same minute: what makes them is a key that each drew for itself, and not the clock.
        Assert.NotEqual(here.Nonce, there.Nonce);
        Assert.Equal("use_dpop_nonce", foreign.Error);
    }

    [Fact, Rfc(9449, "11.1")]
    public async Task What_was_used_before_a_restart_is_not_taken_after_it()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var app = DpopApp.Bench(server);
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        var proof = app.Key.Proof(app.Ask());
        Assert.Equal(HttpStatusCode.OK, (await app.SendAsync(AsItself, proof)).Status);

        await server.StopAsync();
        await using var again = await TestServer.StartAsync(App.Town, like: server);
        using var after = DpopApp.Bench(again);
        var replayed = await after.SendAsync(AsItself, proof);

        Assert.Equal("use_dpop_nonce", replayed.Error);
        Assert.Equal(HttpStatusCode.OK, (await after.AsItselfAsync()).Status);
    }

    [Fact, Rfc(9449, "10")]
    public async Task A_code_that_is_bound_to_a_key_is_good_with_that_key_alone()
    {
        using var app = await AcquaintedAsync(DpopApp.Native(Server));
        using var thief = app.WithAnotherKey();
        var code = (await town.Ada.AllowAsync(app.App.Authorize(("dpop_jkt", app.Key.Thumbprint)))).Code;

        TokenTests.Refused(await app.App.RedeemAsync(code), "invalid_grant");
        TokenTests.Refused(await thief.RedeemAsync(code, app.App.Verifier), "invalid_grant");
        var two = await app.SendAsync(
            [("grant_type", "authorization_code"), ("code", code), ("code_verifier", app.App.Verifier)],
            app.Key.Proof(app.Ask(), nonce: app.Nonce),
            thief.Key.Proof(app.Ask(), nonce: app.Nonce));
        Assert.Equal("invalid_dpop_proof", two.Error);

        Assert.Equal("DPoP", (await app.RedeemAsync(code)).Member("token_type"));
    }

    [Fact, Rfc(9449, "10.1")]
    [Combines("DPoP", "PAR", "code")]
    public async Task A_proof_at_the_pushed_request_binds_the_code_and_must_agree_with_dpop_jkt()
    {
        using var app = await AcquaintedAsync(DpopApp.Native(Server));
        using var thief = app.WithAnotherKey();

        var wrong = await app.PushAsync(("dpop_jkt", thief.Key.Thumbprint));
        var both = await app.PushAsync(("dpop_jkt", app.Key.Thumbprint));
        var pushed = await app.PushAsync();
        var address = App.Encode([("client_id", "native"), ("request_uri", pushed.Member("request_uri"))]);
        var code = (await town.Ada.AllowAsync("/authorize?" + address)).Code;

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_dpop_proof"), (wrong.Status, wrong.Error));
        Assert.Equal(HttpStatusCode.Created, both.Status);
        TokenTests.Refused(await app.App.RedeemAsync(code), "invalid_grant");
        TokenTests.Refused(await thief.RedeemAsync(code, app.App.Verifier), "invalid_grant");
        Assert.Equal("DPoP", (await app.RedeemAsync(code)).Member("token_type"));
    }

    [Theory, MemberData(nameof(Bad)), Rfc(9449, "10.1")]
    public async Task A_bad_proof_at_the_pushed_request_is_refused_there(string name)
    {
        using var app = await AcquaintedAsync(DpopApp.Native(Server));

        var bad = await app.PushAsync(Proofs.Of(name, app.Key, app.Ask("/par")));

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_dpop_proof"), (bad.Status, bad.Error));
    }

    [Theory, Rfc(9449, "10")]
    [InlineData("short")]
    [InlineData("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J")]
    [InlineData("0ZcOCORZNYy+DWpqq30jZyJGHTN0d2HglBV3uiguA4I")]
    [InlineData("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I=")]
    public async Task A_dpop_jkt_that_is_no_thumbprint_is_told_to_the_client(string thumbprint)
    {
        var stop = await town.Ada.OpenAsync(App.Web(Server).Authorize(("dpop_jkt", thumbprint)));

        Assert.Contains("error=invalid_request", stop.Left!.Query, StringComparison.Ordinal);
    }

    [Theory, OnBoth, Rfc(9449, "5")]
    [Combines("none", "DPoP", "refresh")]
    public async Task A_refresh_token_of_a_public_client_is_good_with_its_key_alone(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        using var app = DpopApp.Native(server);
        var first = await app.LetInAsync(ada);
        using var thief = app.WithAnotherKey();

        TokenTests.Refused(await app.App.RefreshAsync(first.RefreshToken), "invalid_grant");
        TokenTests.Refused(await thief.RefreshAsync(first.RefreshToken), "invalid_grant");
        var second = await app.RefreshAsync(first.RefreshToken);
        Assert.Equal(app.Key.Thumbprint, second.Claims.GetProperty("cnf").GetProperty("jkt").GetString());

        // A lost answer is given again to the same key.
        Assert.Equal(second.RefreshToken, (await app.RefreshAsync(first.RefreshToken)).RefreshToken);
        // With another, a token that was used is one that was stolen.
        TokenTests.Refused(await thief.RefreshAsync(first.RefreshToken), "invalid_grant");
        TokenTests.Refused(await app.RefreshAsync(second.RefreshToken), "invalid_grant");
    }

    [Theory, OnBoth, Rfc(9700, "4.14.2"), Rfc(9449, "5")]
    public async Task Fifty_refreshes_at_once_with_proofs_bring_one_successor(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        using var app = DpopApp.Native(server);
        var first = await app.LetInAsync(ada);

        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => app.RefreshAsync(first.RefreshToken)));

        Assert.All(replies, reply => Assert.Equal(HttpStatusCode.OK, reply.Status));
        Assert.Single(replies.Select(reply => reply.RefreshToken).Distinct());
    }

    [Fact, Rfc(9449, "5")]
    public async Task A_confidential_client_may_refresh_with_a_new_key()
    {
        using var app = await AcquaintedAsync(DpopApp.Web(Server));
        var first = await app.LetInAsync(town.Ada);
        using var next = app.WithAnotherKey();

        var second = await next.RefreshAsync(first.RefreshToken);

        Assert.Equal(next.Key.Thumbprint, second.Claims.GetProperty("cnf").GetProperty("jkt").GetString());
    }

    [Fact, Rfc(9449, "5")]
    public async Task A_public_client_may_begin_to_bind_and_cannot_stop()
    {
        using var app = await AcquaintedAsync(DpopApp.Native(Server));
        var bearer = await app.App.LetInAsync(town.Ada);

        var bound = await app.RefreshAsync(bearer.RefreshToken);
        TokenTests.Refused(await app.App.RefreshAsync(bound.RefreshToken), "invalid_grant");

        Assert.Equal("DPoP", (await app.RefreshAsync(bound.RefreshToken)).Member("token_type"));
    }

    [Fact, Rfc(9449, "5.2")]
    public async Task A_client_that_registered_for_bound_tokens_gets_no_others()
    {
        using var answer = await Server.Http.PostAsync(
            new Uri("/register", UriKind.Relative),
            new StringContent(
                """
                {"redirect_uris":["https://bound.example/cb"],"token_endpoint_auth_method":"none",
                  "dpop_bound_access_tokens":true}
                """,
                System.Text.Encoding.UTF8,
                "application/json"));
        var registered = await Reply.ReadAsync(answer);
        Assert.True(registered.Json.GetProperty("dpop_bound_access_tokens").GetBoolean());
        using var app = await AcquaintedAsync(new DpopApp(
            Server,
            registered.Member("client_id")!,
            "https://bound.example/cb"));
        var code = (await town.Ada.AllowAsync(app.App.Authorize())).Code;

        TokenTests.Refused(await app.App.RedeemAsync(code), "invalid_dpop_proof");
        Assert.Equal("DPoP", (await app.RedeemAsync(code)).Member("token_type"));
    }

    [Fact, Rfc(7591, "2")]
    public async Task Whether_tokens_are_bound_is_true_or_false()
    {
        using var answer = await Server.Http.PostAsync(
            new Uri("/register", UriKind.Relative),
            new StringContent(
                """{"redirect_uris":["https://bound.example/cb"],"dpop_bound_access_tokens":"yes"}""",
                System.Text.Encoding.UTF8,
                "application/json"));

        Assert.Equal("invalid_client_metadata", (await Reply.ReadAsync(answer)).Error);
    }

    [Fact, Rfc(9728, "2")]
    [Combines("DPoP", "bound server")]
    public async Task A_server_that_requires_bound_tokens_says_so_and_no_others_are_made_for_it()
    {
        await using var server = await TestServer.StartAsync(App.Town.Replace(
            "{ name: echo,", "{ name: echo, require_dpop: true,", StringComparison.Ordinal));
        using var app = DpopApp.Bench(server);

        var metadata = JsonElement.Parse(await server.Http.GetStringAsync(
            new Uri("/.well-known/oauth-protected-resource/mcp/echo", UriKind.Relative)));
        var bearer = await app.App.AsItselfAsync();
        var bound = await app.AsItselfAsync();
        using var called = await app.CallAsync(bound.AccessToken);

        Assert.True(metadata.GetProperty("dpop_bound_access_tokens_required").GetBoolean());
        TokenTests.Refused(bearer, "invalid_dpop_proof");
        Assert.NotEqual(HttpStatusCode.Unauthorized, called.StatusCode);
    }

    [Fact, Rfc(8693, "2.2.1"), Rfc(9449, "5")]
    [Combines("DPoP", "exchange")]
    public async Task A_bound_token_is_exchanged_with_its_key_and_never_for_a_bearer_token()
    {
        const string Exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
        await using var server = await TestServer.StartAsync(App.Town.Replace(
            "redirect_uris: [https://web.example/cb] }",
            $"""
            redirect_uris: [https://web.example/cb], actor: service, resources: [echo], introspects: [echo],
                grant_types: [authorization_code, refresh_token, '{Exchange}'] {'}'}
            """,
            StringComparison.Ordinal));
        using var ada = new Person(server);
        using var web = DpopApp.Web(server);
        using var native = DpopApp.Native(server);
        using var otherKey = web.WithAnotherKey();
        var own = (await web.LetInAsync(ada)).AccessToken;
        var sent = (await native.LetInAsync(ada)).AccessToken;

        TokenTests.Refused(await web.App.PostAsync("/token", [.. Fields(own), ("client_id", "web"),
            ("client_secret", App.WebSecret)]), "invalid_request");
        TokenTests.Refused(await otherKey.TokenAsync(Fields(own)), "invalid_request");
        TokenTests.Refused(await web.App.PostAsync("/token", [.. Fields(sent), ("client_id", "web"),
            ("client_secret", App.WebSecret)]), "invalid_request");
        TokenTests.Refused(await web.TokenAsync(Fields(sent)), "invalid_request");
        var passedOn = await web.TokenAsync(Fields(own));

        Assert.Equal("DPoP", passedOn.Member("token_type"));

        static (string, string?)[] Fields(string token) =>
        [
            ("grant_type", Exchange),
            ("subject_token", token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ];
    }

    [Fact]
    public async Task A_person_and_an_operator_see_that_tokens_are_bound()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        await App.Web(server).LetInAsync(ada);
        const string Mine = "works with its own key only", Theirs = "Its tokens are bound to a key.";
        Assert.DoesNotContain(Mine, await PageAsync("/me"), StringComparison.Ordinal);

        using var app = DpopApp.Native(server);
        await app.LetInAsync(ada);

        Assert.Contains(Mine, await PageAsync("/me"), StringComparison.Ordinal);
        Assert.Contains(Theirs, await PageAsync("/console/grants"), StringComparison.Ordinal);

        async Task<string> PageAsync(string path) =>
            (await ada.OpenAsync(path)).Page!.Body!.TextContent;
    }

    [Fact, Rfc(9449, "6.2")]
    public async Task Introspection_names_the_key_and_the_token_is_alive_without_a_proof()
    {
        using var app = await AcquaintedAsync();
        var token = (await app.AsItselfAsync()).AccessToken;

        var told = await App.Watch(Server).IntrospectAsync(token);

        Assert.True(told.Json.GetProperty("active").GetBoolean());
        Assert.Equal("DPoP", told.Member("token_type"));
        Assert.Equal(app.Key.Thumbprint, told.Json.GetProperty("cnf").GetProperty("jkt").GetString());
    }

    [Fact, Rfc(7009, "2.1")]
    public async Task A_bound_token_is_handed_back_by_its_client_alone()
    {
        using var app = await AcquaintedAsync();
        var token = (await app.AsItselfAsync()).AccessToken;

        await App.Web(Server).RevokeAsync(token);
        Assert.True(await App.Watch(Server).IsAliveAsync(token));
        await app.App.RevokeAsync(token);
        Assert.False(await App.Watch(Server).IsAliveAsync(token));
    }

    [Theory, Rfc(9449, "5.1")]
    [InlineData("/.well-known/oauth-authorization-server")]
    [InlineData("/.well-known/openid-configuration")]
    public async Task The_metadata_lists_the_algorithms_of_proofs(string path)
    {
        var metadata = JsonElement.Parse(await Server.Http.GetStringAsync(new Uri(path, UriKind.Relative)));

        Assert.Equal(
            """["ES256","PS256","RS256"]""", metadata.GetProperty("dpop_signing_alg_values_supported").ToString());
    }

    // The nonce that is asked for after a start is known, so that what is refused is refused for something else.
    private async Task<DpopApp> AcquaintedAsync(DpopApp? app = null)
    {
        app ??= DpopApp.Bench(Server);
        using var anybody = DpopApp.Bench(Server);
        await anybody.AsItselfAsync();
        app.Nonce = anybody.Nonce;
        return app;
    }
}
