using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Platform;

namespace Postern.Tests.OAuth;

/// <summary>
/// Clients whose copies prove themselves by what an attester says of their key
/// (draft-ietf-oauth-attestation-based-client-auth).
/// </summary>
public sealed class AttestationTests(AttestationTests.Bureau bureau) : IClassFixture<AttestationTests.Bureau>
{
    private const string Draft = "Attestation-Based Client Authentication";

    private const string Header = "OAuth-Client-Attestation", ProofHeader = "OAuth-Client-Attestation-PoP",
        ChallengeHeader = "OAuth-Client-Attestation-Challenge";

    private static readonly (string Name, string? Value)[] AsItself = [("grant_type", "client_credentials")];

    private static readonly Signer Stranger = new("a1");

    private static readonly string Yaml = $$"""
        demo: false
        users:
          - { email: {{Person.Ada}}, password: {{Person.AdasPassword}} }
        clients:
          - { client_id: desk, token_endpoint_auth_method: attest_jwt_client_auth,
              redirect_uris: ['http://127.0.0.1:8765/callback'], resources: [echo], introspects: [echo],
              grant_types: [authorization_code, refresh_token, client_credentials, '{{Gadget.GrantType}}',
                '{{Butler.GrantType}}'] }
          - { client_id: desk-dpop, token_endpoint_auth_method: attest_jwt_client_auth_dpop,
              redirect_uris: ['http://127.0.0.1:8765/callback'], resources: [echo], introspects: [echo],
              grant_types: [authorization_code, refresh_token, client_credentials, '{{Gadget.GrantType}}',
                '{{Butler.GrantType}}'] }
          - { client_id: other, token_endpoint_auth_method: attest_jwt_client_auth,
              grant_types: [client_credentials], resources: [echo] }
          - { client_id: native, redirect_uris: [http://127.0.0.1:8765/callback] }
          - { client_id: web, client_secret: {{App.WebSecret}}, redirect_uris: [https://web.example/cb] }
          - { client_id: both, client_secret: {{App.BenchSecret}}, resources: [echo],
              redirect_uris: ['http://127.0.0.1:8765/callback'],
              grant_types: [authorization_code, refresh_token, client_credentials] }
        trusted_attesters:
          - issuer: https://attester.example
            jwks: '{{AttestedApp.Attester.Jwks}}'
            clients: [desk, desk-dpop, both, native]
          - { issuer: https://another.example, jwks: '{{Stranger.Jwks}}', clients: [other] }
          - { issuer: https://off.example, jwks: '{{AttestedApp.Attester.Jwks}}', enabled: false, clients: [other] }
        servers:
          - { name: echo, http: http://127.0.0.1:9/mcp }
        """;

    private TestServer Server => bureau.Server;

    [Theory, InlineData("desk"), InlineData("desk-dpop"), Rfc(Draft, "5"), Rfc(Draft, "7"), Rfc(Draft, "7.4")]
    public async Task A_copy_is_believed_with_its_attestation_and_a_proof_of_its_key(string id)
    {
        using var app = await DeskAsync(id);

        var reply = await app.AsItselfAsync();
        var unnamed = await app.SendAsync("/token", [.. AsItself, ("client_id", null)]);

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal(HttpStatusCode.OK, unnamed.Status);
        Assert.Equal(id, reply.Claims.GetProperty("client_id").GetString());
        Assert.Equal(app.IsCombined ? "DPoP" : "Bearer", reply.Member("token_type"));
        Assert.Equal(app.IsCombined, reply.Claims.TryGetProperty("cnf", out _));
    }

    [Theory, Rfc(Draft, "4"), Rfc(Draft, "7.1"), Rfc(8725, "3.1"), Rfc(8725, "3.11")]
    [InlineData("missing"), InlineData("twice"), InlineData("no JWT"), InlineData("by a stranger")]
    [InlineData("by another client's attester"), InlineData("iss of another"), InlineData("iss off")]
    [InlineData("alg none"), InlineData("alg HS256"), InlineData("typ missing"), InlineData("typ JWT")]
    [InlineData("typ of a proof"), InlineData("sub missing"), InlineData("sub other"), InlineData("sub web")]
    [InlineData("sub nobody"), InlineData("exp missing"), InlineData("iat ahead"), InlineData("nbf ahead")]
    [InlineData("cnf missing"), InlineData("cnf jkt"), InlineData("cnf both"), InlineData("cnf private")]
    [InlineData("cnf symmetric"), InlineData("cnf another curve"), InlineData("cnf off the curve")]
    [InlineData("sub a list"), InlineData("an altered claim")]
    public async Task An_attestation_that_is_wrong_in_one_thing_is_worth_nothing(string what)
    {
        foreach (var id in (string[])["desk", "desk-dpop"])
        {
            using var app = await DeskAsync(id);
            var made = what switch
            {
                "no JWT" => "x",
                "by a stranger" => app.Attestation(by: Stranger),
                "by another client's attester" => app.Attestation(
                    claims => claims["iss"] = "https://another.example", Stranger),
                "alg none" => app.Attestation(alg: "none"),
                "alg HS256" => app.Attestation(alg: "HS256"),
                "typ missing" => app.Attestation(typ: null),
                "typ JWT" => app.Attestation(typ: "JWT"),
                "typ of a proof" => app.Attestation(typ: "oauth-client-attestation-pop+jwt"),
                "an altered claim" => Altered(app.Attestation()),
                _ => app.Attestation(claims => Change(claims, what, app.Now)),
            };
            var headers = what switch
            {
                "missing" => [],
                "twice" => [(Header, made), (Header, made)],
                _ => (IEnumerable<(string, string)>)[(Header, made)],
            };

            var bad = await app.PostAsync("/token", AsItself, [.. headers, ProofOf(app)]);
            var good = await app.AsItselfAsync();

            Refused(bad, what is "missing" ? "invalid_client" : "invalid_client_attestation");
            Assert.Equal(HttpStatusCode.OK, good.Status);
        }
    }

    [Theory, Rfc(Draft, "5.1"), Rfc(Draft, "7.2"), Rfc(8725, "3.11")]
    [InlineData("missing"), InlineData("twice"), InlineData("no JWT"), InlineData("by another key")]
    [InlineData("alg none"), InlineData("alg of another key"), InlineData("typ missing"), InlineData("typ dpop+jwt")]
    [InlineData("typ of an attestation"), InlineData("aud other"), InlineData("aud token endpoint")]
    [InlineData("aud list"), InlineData("aud missing"), InlineData("jti missing"), InlineData("jti too long")]
    [InlineData("iat missing"), InlineData("iat old"), InlineData("iat ahead"), InlineData("exp past")]
    [InlineData("a key in the header"), InlineData("the attestation itself")]
    [InlineData("iss of another"), InlineData("sub other")]
    public async Task A_proof_that_is_wrong_in_one_thing_is_worth_nothing(string what)
    {
        using var app = await DeskAsync("desk");
        using var key = new DpopKey();
        var proof = what switch
        {
            "no JWT" => "x",
            "by another key" => app.Proof(by: key),
            "alg none" => app.Proof(header: head => head["alg"] = "none"),
            "alg of another key" => app.Proof(header: head => head["alg"] = "RS256"),
            "typ missing" => app.Proof(header: head => head.Remove("typ")),
            "typ dpop+jwt" => app.Proof(header: head => head["typ"] = "dpop+jwt"),
            "typ of an attestation" => app.Proof(header: head => head["typ"] = "oauth-client-attestation+jwt"),
            "a key in the header" => app.Proof(header: head => head["jwk"] = app.Key.Jwk),
            "the attestation itself" => app.Attestation(),
            _ => app.Proof(claims => Change(claims, what, app.Now)),
        };
        var headers = what switch
        {
            "missing" => [],
            "twice" => [(ProofHeader, proof), (ProofHeader, app.Proof())],
            _ => (IEnumerable<(string, string)>)[(ProofHeader, proof)],
        };

        var bad = await app.PostAsync("/token", AsItself, [(Header, app.Attestation()), .. headers]);

        Refused(bad, "invalid_client_attestation");
        Assert.Equal(HttpStatusCode.OK, (await app.AsItselfAsync()).Status);
    }

    [Theory, InlineData("iss"), InlineData("sub")]
    public async Task A_proof_may_name_the_client_that_made_it(string member)
    {
        using var app = await DeskAsync("desk");

        var reply = await app.PostAsync(
            "/token",
            AsItself,
            [(Header, app.Attestation()), (ProofHeader, app.Proof(claims => claims[member] = "desk"))]);

        Assert.Equal(HttpStatusCode.OK, reply.Status);
    }

    [Theory, Rfc(Draft, "5.2"), Rfc(Draft, "7.3")]
    [InlineData("missing", "invalid_client_attestation"), InlineData("twice", "invalid_dpop_proof")]
    [InlineData("by another key", "invalid_client_attestation"), InlineData("another address", "invalid_dpop_proof")]
    [InlineData("a statement beside", "invalid_client_attestation")]
    [InlineData("a statement instead", "invalid_client_attestation")]
    [Combines("attestation", "DPoP")]
    public async Task The_proof_of_the_request_must_be_by_the_attested_key(string what, string error)
    {
        using var app = await DeskAsync("desk-dpop");
        using var key = new DpopKey();
        var ask = new ProofAsk("POST", Server.Issuer + "/token", app.Now);
        var proof = ("DPoP", app.Key.Proof(ask, nonce: app.Challenge));
        (string, string)[] headers = what switch
        {
            "missing" => [],
            "twice" => [proof, ("DPoP", app.Key.Proof(ask, nonce: app.Challenge))],
            "by another key" => [("DPoP", key.Proof(ask, nonce: app.Challenge))],
            "another address" => [("DPoP", app.Key.Proof(ask with { Url = ask.Url + "/x" }, nonce: app.Challenge))],
            "a statement beside" => [proof, (ProofHeader, app.Proof())],
            _ => [(ProofHeader, app.Proof())],
        };

        var reply = await app.PostAsync("/token", AsItself, [(Header, app.Attestation()), .. headers]);

        Assert.Equal(error, reply.Error);
    }

    [Theory, InlineData("desk"), InlineData("desk-dpop"), Rfc(Draft, "6.1"), Rfc(Draft, "6.2"), Rfc(Draft, "7.4")]
    public async Task Without_a_challenge_of_now_it_is_told_one(string id)
    {
        using var app = new AttestedApp(Server, id);

        foreach (var challenge in (string?[])[null, "made-up", await OldAsync()])
        {
            app.Challenge = challenge;
            var refused = await app.AsItselfAsync();
            Assert.Equal((HttpStatusCode.BadRequest, "use_attestation_challenge"), (refused.Status, refused.Error));
            app.Challenge = refused.Headers.GetValues(ChallengeHeader).Single();
            Assert.Equal(HttpStatusCode.OK, (await app.AsItselfAsync()).Status);
        }

        // The next one is offered while the present one is still good.
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        var offered = await app.AsItselfAsync();
        Assert.Equal(HttpStatusCode.OK, offered.Status);
        app.Challenge = offered.Headers.GetValues(id is "desk" ? ChallengeHeader : "DPoP-Nonce").Single();
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, (await app.AsItselfAsync()).Status);

        async Task<string> OldAsync()
        {
            await app.MeetAsync();
            Server.Clock.Advance(TimeSpan.FromMinutes(2));
            return app.Challenge!;
        }
    }

    [Theory, Rfc(Draft, "7.1"), Rfc(Draft, "7.4")]
    [InlineData("exp past"), InlineData("a day old"), InlineData("no iat and long to go")]
    public async Task An_attestation_that_is_too_old_is_to_be_made_again(string what)
    {
        using var app = await DeskAsync("desk");
        var made = app.Attestation(claims => Change(claims, what, app.Now));

        var reply = await app.PostAsync("/token", AsItself, (Header, made), ProofOf(app));

        Refused(reply, "use_fresh_attestation");
    }

    [Theory, OnBoth, Rfc(Draft, "11.1")]
    public async Task Of_fifty_requests_with_one_attested_proof_one_is_answered(On on)
    {
        await using var server = await TestServer.StartAsync(Yaml, on);
        using var app = new AttestedApp(server, "desk");
        await app.MeetAsync();
        (string, string)[] headers = [(Header, app.Attestation()), (ProofHeader, app.Proof())];

        var replies = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => app.PostAsync("/token", AsItself, headers)));

        Assert.Single(replies, reply => reply.Status is HttpStatusCode.OK);
        Assert.Equal(49, replies.Count(reply => reply.Error is "invalid_client_attestation"));
    }

    [Theory, Rfc(Draft, "7.5")]
    [InlineData("desk", "/token"), InlineData("desk", "/par"), InlineData("desk", "/device_authorization")]
    [InlineData("desk", "/bc-authorize"), InlineData("desk", "/introspect"), InlineData("desk", "/revoke")]
    [InlineData("desk-dpop", "/token"), InlineData("desk-dpop", "/par"), InlineData("desk-dpop", "/introspect")]
    [InlineData("desk-dpop", "/device_authorization"), InlineData("desk-dpop", "/bc-authorize")]
    [InlineData("desk-dpop", "/revoke")]
    public async Task Every_endpoint_asks_for_the_same_proof(string id, string path)
    {
        using var app = await DeskAsync(id);
        (string, string?)[] fields =
        [
            .. app.App.Usual, ("token", "x"), ("grant_type", "client_credentials"), ("login_hint", Person.Ada),
        ];
        fields = App.With([("scope", path is "/bc-authorize" ? "openid mcp:read" : "mcp:read")], fields);

        var good = await app.SendAsync(path, fields);
        var bare = await app.PostAsync(path, fields);
        var alone = await app.PostAsync(path, fields, (Header, app.Attestation()));
        var proof = await app.PostAsync(path, fields, ProofOf(app));
        var secret = await app.PostAsync(path, [.. fields, ("client_secret", "x")]);

        Assert.True(good.Status is HttpStatusCode.OK or HttpStatusCode.Created, good.Text);
        // RFC 9701 §5: who shows nothing at all.
        var nothing = path is "/introspect" ? HttpStatusCode.BadRequest : HttpStatusCode.Unauthorized;
        Refused(bare, "invalid_client", nothing);
        Refused(alone, "invalid_client_attestation");
        Refused(proof, "invalid_client", nothing);
        Refused(secret, "invalid_client");
    }

    [Theory, InlineData("desk"), InlineData("desk-dpop"), Rfc(Draft, "9.3")]
    [Combines("attestation", "refresh")]
    public async Task A_refresh_token_is_good_for_the_copy_it_was_given_to_alone(string id)
    {
        using var app = await DeskAsync(id);
        var tokens = await app.RedeemAsync((await bureau.Ada.AllowAsync(app.App.Authorize())).Code);
        using var copy = app.Copy();

        Refused(await copy.RefreshAsync(tokens.RefreshToken), "invalid_grant");
        var kept = await app.RefreshAsync(tokens.RefreshToken);

        Assert.Equal(tokens.RefreshToken, kept.RefreshToken);
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(tokens.RefreshToken)).Status);
    }

    [Fact, Rfc(Draft, "7"), Rfc(9449, "5")]
    public async Task A_proof_of_another_key_beside_the_statement_binds_the_token_and_not_the_refresh_token()
    {
        using var app = await DeskAsync("desk");
        using var first = new DpopKey();
        using var second = new DpopKey();
        app.Beside = first;
        var tokens = await app.RedeemAsync((await bureau.Ada.AllowAsync(app.App.Authorize())).Code);
        app.Beside = second;
        var next = await app.RefreshAsync(tokens.RefreshToken);
        using var copy = app.Copy();
        copy.Beside = second;

        Assert.Equal(first.Thumbprint, tokens.Claims.GetProperty("cnf").GetProperty("jkt").GetString());
        Assert.Equal(second.Thumbprint, next.Claims.GetProperty("cnf").GetProperty("jkt").GetString());
        Refused(await copy.RefreshAsync(tokens.RefreshToken), "invalid_grant");
    }

    [Fact, Rfc(Draft, "7"), Rfc(9449, "5")]
    public async Task A_copy_that_was_given_a_bound_token_gets_no_bearer_token_for_its_refresh_token()
    {
        using var app = await DeskAsync("desk");
        using var key = new DpopKey();
        app.Beside = key;
        var tokens = await app.RedeemAsync((await bureau.Ada.AllowAsync(app.App.Authorize())).Code);
        app.Beside = null;

        Refused(await app.RefreshAsync(tokens.RefreshToken), "invalid_grant");
        app.Beside = key;

        Assert.Equal("DPoP", (await app.RefreshAsync(tokens.RefreshToken)).Member("token_type"));
    }

    [Theory, Rfc(Draft, "9.3"), Rfc(Draft, "9.4"), InlineData("both"), InlineData("native")]
    [Combines("attestation", "refresh")]
    public async Task What_came_with_an_attestation_beside_another_method_is_refreshed_by_that_copy_alone(string id)
    {
        using var app = await DeskAsync(id);
        using var copy = app.Copy();
        using var key = new DpopKey();
        (app.Beside, copy.Beside) = (key, key);
        app.Secret = copy.Secret = id is "both" ? App.BenchSecret : null;
        var tokens = await app.RedeemAsync((await bureau.Ada.AllowAsync(app.App.Authorize())).Code);

        // Of what was shown when it began, nothing may be left out, nor be another copy's.
        Refused(await copy.RefreshAsync(tokens.RefreshToken), "invalid_grant");
        var bare = await app.PostAsync("/token", [.. app.Named, .. Refreshing(tokens)], []);
        Refused(bare, "invalid_grant");
        var proven = await app.PostAsync("/token", [.. app.Named, .. Refreshing(tokens)], ("DPoP", ProofBy(app, key)));
        Refused(proven, "invalid_grant");
        app.Beside = null;
        Refused(await app.RefreshAsync(tokens.RefreshToken), "invalid_grant");
        app.Beside = key;
        var next = await app.RefreshAsync(tokens.RefreshToken);

        Assert.True(next.Status is HttpStatusCode.OK, next.Text);
    }

    [Fact, Rfc(Draft, "9.3"), Rfc(Draft, "9.4")]
    public async Task What_began_without_an_attestation_belongs_to_the_first_copy_that_shows_one()
    {
        using var app = await DeskAsync("both");
        using var copy = app.Copy();
        (app.Secret, copy.Secret) = (App.BenchSecret, App.BenchSecret);
        var code = (await bureau.Ada.AllowAsync(app.App.Authorize())).Code;
        var tokens = await app.PostAsync(
            "/token",
            [.. app.Named, ("grant_type", "authorization_code"), ("code", code), ("code_verifier", app.App.Verifier)],
            []);
        var plain = await app.PostAsync("/token", [.. app.Named, .. Refreshing(tokens)], []);
        var shown = await app.RefreshAsync(plain.RefreshToken);

        Refused(await copy.RefreshAsync(shown.RefreshToken), "invalid_grant");
        Refused(await app.PostAsync("/token", [.. app.Named, .. Refreshing(shown)], []), "invalid_grant");
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(shown.RefreshToken)).Status);
    }

    [Theory, Rfc(Draft, "9.4"), InlineData("PAR"), InlineData("PAR and key")]
    [Combines("attestation", "PAR", "code")]
    public async Task What_was_pushed_with_an_attestation_beside_a_secret_is_redeemed_by_that_copy_alone(string what)
    {
        using var app = await DeskAsync("both");
        using var copy = app.Copy();
        using var key = new DpopKey();
        (app.Secret, copy.Secret) = (App.BenchSecret, App.BenchSecret);
        (app.Beside, copy.Beside) = what is "PAR" ? (null, null) : (key, key);
        var poll = await PushedAsync(app);

        Refused(await copy.SendAsync("/token", poll), "invalid_grant");
        Refused(await app.PostAsync("/token", [.. app.Named, .. poll], []), "invalid_grant");
        var own = await app.SendAsync("/token", poll);

        Assert.True(own.Status is HttpStatusCode.OK, own.Text);
    }

    [Theory, Rfc(Draft, "7"), Rfc(Draft, "9.4")]
    [InlineData("right", null), InlineData("right by DPoP", null)]
    [InlineData("of another client", "invalid_client_attestation"), InlineData("no JWT", "invalid_client_attestation")]
    [InlineData("by a stranger", "invalid_client_attestation"), InlineData("twice", "invalid_client_attestation")]
    [InlineData("without a proof", "invalid_client_attestation")]
    [InlineData("with a proof of another key", "invalid_client_attestation")]
    [InlineData("with a DPoP proof of another key", "invalid_client_attestation")]
    [InlineData("without a challenge", "use_attestation_challenge")]
    public async Task What_is_shown_beside_another_method_is_right_or_refused(string what, string? error)
    {
        using var app = await DeskAsync("both");
        using var other = app.Copy();
        var made = what switch
        {
            "no JWT" => "x",
            "by a stranger" => app.Attestation(by: Stranger),
            "of another client" => app.Attestation(claims => claims["sub"] = "desk"),
            _ => app.Attestation(),
        };
        (string, string)[] proof = what switch
        {
            "without a proof" => [],
            "with a proof of another key" => [(ProofHeader, other.Proof())],
            "without a challenge" => [(ProofHeader, app.Proof(claims => claims.Remove("challenge")))],
            "right by DPoP" => [("DPoP", Dpop(app))],
            "with a DPoP proof of another key" => [("DPoP", Dpop(other))],
            _ => [(ProofHeader, app.Proof())],
        };
        (string, string)[] headers = what is "twice" ? [(Header, made), (Header, made)] : [(Header, made)];

        var reply = await app.PostAsync(
            "/token", [.. AsItself, ("client_secret", App.BenchSecret)], [.. headers, .. proof]);
        var wrong = await app.PostAsync("/token", [.. AsItself, ("client_secret", "wrong")], [.. headers, .. proof]);

        Refused(wrong, "invalid_client");
        if (error is not null)
        {
            Refused(reply, error);
            return;
        }

        Assert.True(reply.Status is HttpStatusCode.OK, reply.Text);
        Assert.Equal(what is "right" ? "Bearer" : "DPoP", reply.Member("token_type"));

        string Dpop(AttestedApp by) =>
            by.Key.Proof(new("POST", $"{Server.Issuer}/token", app.Now), nonce: app.Challenge);
    }

    [Fact, Rfc(Draft, "7.6")]
    public async Task What_is_no_method_of_a_client_proves_nothing_and_is_passed_over_where_nobody_attests()
    {
        using var app = await DeskAsync("desk");
        await using var without = await TestServer.StartAsync(App.Town);
        using var there = new AttestedApp(without, "web");
        (string, string)[] headers =
            [(Header, app.Attestation(claims => claims["sub"] = "web")), (ProofHeader, app.Proof())];

        var alone = await app.PostAsync("/introspect", [("token", "x"), ("client_id", "web")], headers);
        var beside = await there.PostAsync(
            "/introspect", [("token", "x"), ("client_id", "web"), ("client_secret", App.WebSecret)], headers);

        Refused(alone, "invalid_client_attestation");
        Assert.Equal(HttpStatusCode.OK, beside.Status);
    }

    [Theory, Rfc(Draft, "9.3"), Rfc(Draft, "9.4"), Rfc(9126, "2")]
    [Combines("attestation", "DPoP", "PAR", "code")]
    [InlineData("desk", "code"), InlineData("desk-dpop", "code"), InlineData("desk", "device")]
    [InlineData("desk-dpop", "device"), InlineData("desk", "backchannel"), InlineData("desk-dpop", "backchannel")]
    public async Task What_a_copy_asked_for_is_fetched_by_that_copy_alone(string id, string way)
    {
        using var app = await DeskAsync(id);
        using var copy = app.Copy();
        var poll = way switch
        {
            "code" => await PushedAsync(app),
            "device" => await DeviceAsync(app),
            _ => await BackchannelAsync(app),
        };

        Refused(await copy.SendAsync("/token", poll), "invalid_grant");
        var own = await app.SendAsync("/token", poll);

        Assert.True(own.Status is HttpStatusCode.OK, own.Text);
    }

    [Theory, InlineData("desk", false), InlineData("desk-dpop", true)]
    public async Task A_person_reads_of_a_key_only_where_the_tokens_are_bound_to_one(string id, bool isBound)
    {
        await using var server = await TestServer.StartAsync(Yaml.Replace(
            $"password: {Person.AdasPassword} }}",
            $"password: {Person.AdasPassword}, roles: [admin] }}",
            StringComparison.Ordinal));
        using var ada = new Person(server);
        using var app = new AttestedApp(server, id, "http://127.0.0.1:8765/callback");
        await app.MeetAsync();
        var reply = await app.RedeemAsync((await ada.LetInAsync(app.App.Authorize())).Code);
        Assert.Equal(HttpStatusCode.OK, reply.Status);

        var (me, desk) = (await PageAsync("/me"), await PageAsync("/console/grants"));

        Assert.Equal(isBound, me.Contains("works with its own key only", StringComparison.Ordinal));
        Assert.Equal(isBound, desk.Contains("Its tokens are bound to a key.", StringComparison.Ordinal));
        Assert.Contains("goes on in this copy of the app only", me, StringComparison.Ordinal);
        Assert.Contains("One copy alone refreshes them.", desk, StringComparison.Ordinal);

        async Task<string> PageAsync(string path) => (await ada.OpenAsync(path)).Page!.Body!.TextContent;
    }

    [Fact]
    public async Task Whose_attestation_is_refused_cannot_be_told_from_nobodys()
    {
        using var app = await DeskAsync("desk");
        var texts = new List<string>();
        foreach (var sub in (string[])["desk", "other", "web", "nobody"])
        {
            var made = app.Attestation(claims => claims["sub"] = sub, Stranger);
            texts.Add((await app.PostAsync(
                "/token", [.. AsItself, ("client_id", sub)], (Header, made), ProofOf(app))).Text);
        }

        Assert.Single(texts.Distinct());
    }

    [Fact, Rfc(Draft, "6.1"), Rfc(Draft, "8")]
    public async Task The_metadata_says_so_where_an_attester_is_trusted_and_there_alone()
    {
        var here = await MetadataAsync(Server);
        await using var without = await TestServer.StartAsync(App.Town);
        var there = await MetadataAsync(without);
        using var asked = await Server.Http.PostAsync(new Uri("/challenge", UriKind.Relative), null);
        using var got = await Server.Http.GetAsync(new Uri("/challenge", UriKind.Relative));
        using var none = await without.Http.PostAsync(new Uri("/challenge", UriKind.Relative), null);
        using var neither = await without.Http.GetAsync(new Uri("/challenge", UriKind.Relative));

        foreach (var list in (string[])["token", "revocation", "introspection"])
        {
            var name = $"{list}_endpoint_auth_methods_supported";
            Assert.Contains("attest_jwt_client_auth_dpop", here.GetProperty(name).ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("attest", there.GetProperty(name).ToString(), StringComparison.Ordinal);
        }

        Assert.Equal($"{Server.Issuer}/challenge", here.GetProperty("challenge_endpoint").GetString());
        Assert.Equal(3, here.GetProperty("client_attestation_signing_alg_values_supported").GetArrayLength());
        Assert.Equal(3, here.GetProperty("client_attestation_pop_signing_alg_values_supported").GetArrayLength());
        Assert.False(there.TryGetProperty("challenge_endpoint", out _));
        Assert.Equal("no-store", asked.Headers.CacheControl!.ToString());
        Assert.Equal("application/json", asked.Content.Headers.ContentType!.MediaType);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, got.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, neither.StatusCode);
    }

    [Theory]
    [InlineData("clients:\n  - { client_id: x, token_endpoint_auth_method: attest_jwt_client_auth, "
        + "redirect_uris: [https://x.example/cb] }")]
    [InlineData("trusted_attesters:\n  - { issuer: a, clients: [x] }")]
    [InlineData("trusted_attesters:\n  - { issuer: a, jwks_uri: https://a.example/jwks }")]
    public async Task What_nobody_could_attest_stops_the_start(string yaml)
    {
        var failure = await Assert.ThrowsAsync<SetupException>(() => TestServer.StartAsync(yaml));

        Assert.Contains("attester", failure.Message, StringComparison.Ordinal);
    }

    private async Task<AttestedApp> DeskAsync(string id)
    {
        var app = new AttestedApp(Server, id, "http://127.0.0.1:8765/callback");
        await app.MeetAsync();
        return app;
    }

    private static void Refused(Reply reply, string error, HttpStatusCode? status = null)
    {
        Assert.Equal(error, reply.Error);
        Assert.Equal(
            status ?? (error.StartsWith("invalid_client", StringComparison.Ordinal)
                ? HttpStatusCode.Unauthorized
                : HttpStatusCode.BadRequest),
            reply.Status);
        Assert.Equal("no-store", reply.Headers.CacheControl!.ToString());
    }

    private async Task<(string, string?)[]> PushedAsync(AttestedApp app)
    {
        var pushed = await app.SendAsync("/par", [.. app.App.Usual]);
        var code = (await bureau.Ada.AllowAsync(app.App.Pushed(pushed))).Code;
        return [("grant_type", "authorization_code"), ("code", code), ("code_verifier", app.App.Verifier)];
    }

    private async Task<(string, string?)[]> DeviceAsync(AttestedApp app)
    {
        var asked = await app.SendAsync("/device_authorization", ("scope", "mcp:read"));
        var question = await Gadget.BringAsync(bureau.Ada, asked.Member("user_code")!);
        await bureau.Ada.AnswerAsync(question, "allow");
        return [("grant_type", Gadget.GrantType), ("device_code", asked.Member("device_code"))];
    }

    private async Task<(string, string?)[]> BackchannelAsync(AttestedApp app)
    {
        var asked = await app.SendAsync("/bc-authorize", ("scope", "openid mcp:read"), ("login_hint", Person.Ada),
            ("binding_message", Guid.NewGuid().ToString("N")[..8]));
        // Others may wait beside it.
        foreach (var address in await Butler.WaitingAsync(bureau.Ada))
        {
            await bureau.Ada.AnswerAsync(await bureau.Ada.AskedAsync(address), "allow");
        }

        return [("grant_type", Butler.GrantType), ("auth_req_id", asked.Member("auth_req_id"))];
    }

    private static (string, string?)[] Refreshing(Reply tokens) =>
        [("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken)];

    private string ProofBy(AttestedApp app, DpopKey key) =>
        key.Proof(new("POST", $"{Server.Issuer}/token", app.Now), nonce: app.Challenge);

    private (string, string) ProofOf(AttestedApp app) => app.IsCombined
        ? ("DPoP", app.Key.Proof(new("POST", Server.Issuer + "/token", app.Now), nonce: app.Challenge))
        : (ProofHeader, app.Proof());

    private static void Change(JsonObject claims, string what, long now)
    {
        var jwk = claims["cnf"]?["jwk"]?.AsObject();
        switch (what)
        {
            case "missing" or "twice": break;
            case "iss of another": claims["iss"] = "https://another.example"; break;
            case "iss off": claims["iss"] = "https://off.example"; break;
            case "sub other" or "sub web" or "sub nobody": claims["sub"] = what[4..]; break;
            case "iat ahead": claims["iat"] = now + 100; break;
            case "nbf ahead": claims["nbf"] = now + 100; break;
            case "iat old": claims["iat"] = now - 62; break;
            case "exp past": claims["exp"] = now - 1; break;
            case "aud other": claims["aud"] = "https://elsewhere.example"; break;
            case "aud token endpoint": claims["aud"] = claims["aud"]!.ToString() + "/token"; break;
            case "aud list": claims["aud"] = new JsonArray(claims["aud"]!.ToString()); break;
            case "jti too long": claims["jti"] = new string('j', 257); break;
            case "cnf jkt": claims["cnf"] = new JsonObject { ["jkt"] = new string('x', 43) }; break;
            case "cnf both": claims["cnf"]!["jkt"] = new string('x', 43); break;
            case "cnf private": jwk!["d"] = jwk["x"]!.DeepClone(); break;
            case "cnf symmetric": claims["cnf"] = JsonNode.Parse("""{"jwk":{"kty":"oct","k":"c2VjcmV0"}}"""); break;
            case "cnf another curve": jwk!["crv"] = "P-384"; break;
            case "cnf off the curve": jwk!["y"] = jwk["x"]!.DeepClone(); break;
            case "sub a list": claims["sub"] = new JsonArray("desk", "desk"); break;
            case "a day old": claims["iat"] = now - (25 * 3600); break;
            case "no iat and long to go":
                claims.Remove("iat");
                claims["exp"] = now + (25 * 3600);
                break;
            default: Assert.True(claims.Remove(what.Split(' ')[0]), what); break;
        }
    }

    private static string Altered(string token)
    {
        var parts = token.Split('.');
        return $"{parts[0]}.{parts[1][..^4]}AAAA.{parts[2]}";
    }

    private static async Task<JsonElement> MetadataAsync(TestServer server) => JsonElement.Parse(
        await server.Http.GetStringAsync(new Uri("/.well-known/oauth-authorization-server", UriKind.Relative)));

    [Theory, Rfc(Draft, "7"), InlineData(null), InlineData("acme.example")]
    [Combines("attestation", "tenant"), Combines("attestation", "tenant's host")]
    public async Task An_attester_of_a_document_knows_its_copies_at_every_tenant_and_nobody_elses_clients(string? host)
    {
        await using var documents = new DocumentHost();
        var id = documents.Client(
            "/client.json", ",\"token_endpoint_auth_method\":\"attest_jwt_client_auth\"", "https://desk.example/cb");
        var other = documents.Client(
            "/other.json", ",\"token_endpoint_auth_method\":\"attest_jwt_client_auth\"", "https://desk.example/cb");
        await using var server = await TestServer.StartAsync(
            documents.Settings + Yaml.Replace("clients: [desk, ", $"clients: ['{id}', desk, ",
                StringComparison.Ordinal));
        using var estate = await Tenants.Estate.AddAsync(server, "acme", host);
        using var app = AttestedApp.At(server, estate, id);
        using var strange = AttestedApp.At(server, estate, other);
        using var named = AttestedApp.At(server, estate, "desk");
        using var ada = estate.Visit();
        await app.MeetAsync();
        (strange.Challenge, named.Challenge) = (app.Challenge, app.Challenge);
        var code = (await ada.AllowAsync(estate.Tenant.Path + app.App.Authorize())).Code;
        using var copy = app.Copy();

        var bare = await app.PostAsync("/token", [("grant_type", "authorization_code"), ("code", code)]);
        var tokens = await app.RedeemAsync(code);
        var stolen = await copy.RefreshAsync(tokens.RefreshToken);
        var next = await app.RefreshAsync(tokens.RefreshToken);

        Assert.Equal("invalid_client", bare.Error);
        Assert.True(tokens.Status is HttpStatusCode.OK, tokens.Text);
        TokenTests.Refused(stolen, "invalid_grant");
        Assert.Equal(HttpStatusCode.OK, next.Status);
        Assert.Equal("invalid_client_attestation", (await strange.RefreshAsync(next.RefreshToken)).Error);
        Assert.Equal("invalid_client_attestation", (await named.AsItselfAsync()).Error);
        var metadata = await estate.JsonAsync($"/.well-known/oauth-authorization-server{estate.Tenant.Path}");
        Assert.Contains(
            "attest_jwt_client_auth",
            metadata.GetProperty("token_endpoint_auth_methods_supported").EnumerateArray()
                .Select(method => method.GetString()));
    }

    /// <summary>One server with clients that are attested, and a person.</summary>
    public sealed class Bureau : IAsyncLifetime
    {
        internal TestServer Server { get; private set; } = null!;

        internal Person Ada { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Server = await TestServer.StartAsync(Yaml);
            Ada = new(Server);
            await Ada.SignInAsync();
        }

        public async ValueTask DisposeAsync()
        {
            Ada.Dispose();
            await Server.DisposeAsync();
        }
    }
}
