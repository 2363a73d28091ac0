using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Postern.Audit;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Outbound;

namespace Postern.Tests.OAuth;

/// <summary>Clients that are the URL of their metadata document (CIMD), fetched over real TLS.</summary>
public sealed class DocumentTests
{
    private const string Redirect = "https://doc.example/cb";

    [Fact]
    [Rfc("OAuth Client ID Metadata Document", "4")]
    public async Task A_document_is_a_client_and_is_fetched_once_while_it_is_fresh()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var app = new App(server, host.Client("/client.json"), Redirect);

        var first = await app.LetInAsync(ada);
        await app.RefreshAsync(first.RefreshToken);
        await app.LetInAsync(ada);
        Assert.Equal(1, host.Requests);
        Assert.Equal(app.Id, first.Claims.GetProperty("client_id").GetString());
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.NotNull((await ada.AskedAsync(app.Authorize())).Form);

        Assert.Equal(2, host.Requests);
    }

    public static TheoryData<string, string, string> RealDocuments => new()
    {
        {
            "Claude Code", "http://localhost:50211/callback", """
            {"client_id":"URL","client_name":"Claude Code","client_uri":"https://claude.ai",
             "redirect_uris":["http://localhost/callback","http://127.0.0.1/callback"],
             "grant_types":["authorization_code","refresh_token"],"response_types":["code"],
             "token_endpoint_auth_method":"none"}
            """
        },
        {
            "ChatGPT", "https://chatgpt.com/connector/oauth/abc", """
            {"client_id":"URL","client_name":"ChatGPT","client_uri":"https://chatgpt.com",
             "redirect_uris":["https://chatgpt.com/connector/oauth/abc"],"grant_types":["authorization_code",
             "refresh_token"],"response_types":["code"],
             "token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":["none",
             "private_key_jwt"],
             "token_endpoint_auth_signing_alg":"RS256","jwks_uri":"https://chatgpt.com/oauth/jwks.json"}
            """
        },
        {
            "VS Code", "http://127.0.0.1:50212/", """
            {"client_id":"URL","client_name":"Visual Studio Code","redirect_uris":["http://127.0.0.1:33418/",
             "https://vscode.dev/redirect"],
             "grant_types":["authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:device_code"],
             "response_types":["code"],"token_endpoint_auth_method":"none","application_type":"native"}
            """
        },
        {
            "Copilot CLI", "http://127.0.0.1:61000/", """
            {"client_id":"URL","client_name":"GitHub Copilot CLI","redirect_uris":["http://127.0.0.1:33418/"],
             "token_endpoint_auth_method":"none"}
            """
        },
    };

    [Theory, MemberData(nameof(RealDocuments))]
    public async Task The_documents_of_the_clients_people_use_are_asked_about(
        string name, string redirect, string document)
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        host.Put("/client.json", document.Replace("URL", host.At("/client.json"), StringComparison.Ordinal));

        var question = await ada.AskedAsync(new App(server, host.At("/client.json"), redirect).Authorize());

        Assert.True(question.Form is not null, name);
    }

    [Fact]
    [Rfc("OAuth Client ID Metadata Document", "4.1")]
    public async Task A_document_that_is_not_as_it_must_be_is_no_client_and_is_never_redirected()
    {
        await using var host = new DocumentHost();
        // A network has a budget at each server.
        foreach (var some in Wrong(host).Chunk(10))
        {
            await using var server = await TestServer.StartAsync(host.Settings + App.Town);
            foreach (var (what, url) in some)
            {
                using var answer = await server.Http.GetAsync(
                    new Uri(new App(server, url, Redirect).Authorize(), UriKind.Relative));

                Assert.True(answer.StatusCode is HttpStatusCode.BadRequest, $"{what}: {answer.StatusCode}");
                Assert.Null(answer.Headers.Location);
            }
        }
    }

    [Fact]
    [Rfc("OAuth Client ID Metadata Document", "3")]
    public async Task An_address_that_can_be_read_in_two_ways_is_refused_before_any_fetch()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        var port = host.Port;
        string[] urls =
        [
            $"https://127.0.0.1:{port}", $"https://127.0.0.1:{port}/", $"https://127.0.0.1:{port}/./c",
            $"https://127.0.0.1:{port}/a/../c",
            $"https://127.0.0.1:{port}/%2e%2e/c", $"https://127.0.0.1:{port}/%2E/c", $"https://127.0.0.1:{port}/c#x",
            $"https://u@127.0.0.1:{port}/c",
            $"https://u:p@127.0.0.1:{port}/c", $"https://127.0.0.1:{port}\\c", $"https://127.0.0.1:{port}/c d",
            $"https://127.1:{port}/c",
            $"https://2130706433:{port}/c", $"https://0x7f000001:{port}/c", $"https://0177.0.0.1:{port}/c",
            $"https://127.0.0.1.:{port}/c",
            $"https://127。0。0。1:{port}/c", $"https://[::ffff:127.0.0.1]:{port}/c", $"HTTPS://127.0.0.1:{port}/c",
            $"http://127.0.0.1:{port}/c",
            $"https://127.0.0.1:{port}/c\t", $" https://127.0.0.1:{port}/c", $"https://127.0.0.1:0{port}/c",
            "https://", "https:///c", "https://*/c",
            "https://LOCALHOST/c", $"https://127.0.0.1:{port}?/c", $"https://127.0.0.1:{port}/{new string('c', 2100)}",
        ];

        foreach (var url in urls)
        {
            using var answer = await server.Http.GetAsync(
                new Uri(new App(server, url, Redirect).Authorize(), UriKind.Relative));
            Assert.True(answer.StatusCode is HttpStatusCode.BadRequest, $"{url}: {answer.StatusCode}");
            Assert.Null(answer.Headers.Location);
            TokenTests.Refused(await new App(server, url, Redirect).RefreshAsync("x"), "invalid_client");
        }

        Assert.Equal(0, host.Requests);
    }

    [Theory, Rfc("OAuth Client ID Metadata Document", "4.5")]
    [InlineData("https://evil.example/cb"), InlineData(Redirect + "/"), InlineData("https://DOC.example/cb")]
    [InlineData(Redirect + "?a=b"), InlineData("https://doc.example:443/cb")]
    public async Task Answers_go_where_the_document_says_and_nowhere_else(string redirect)
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var app = new App(server, host.Client("/client.json"), Redirect);

        var shown = await ada.OpenAsync(app.Authorize(("redirect_uri", redirect)));

        Assert.Equal((HttpStatusCode.BadRequest, null), (shown.Status, shown.Left));
        Assert.NotNull((await ada.AllowAsync(app.Authorize())).Code);
    }

    [Theory]
    [InlineData("http://localhost:7400/cb", "")]
    [InlineData(Redirect, ",\"post_logout_redirect_uris\":[\"http://localhost:7400/bye\"]")]
    public async Task A_document_that_leads_to_a_tenants_own_host_is_no_client_there_whoever_fetched_it(
        string redirect, string members)
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var acme = await Tenants.Estate.AddAsync(server, "acme", "localhost:7400");
        using var ada = new Person(server);
        using var there = acme.Visit();
        var id = host.Client("/client.json", members, redirect);
        Assert.NotNull((await ada.AskedAsync(new App(server, id, redirect).Authorize())).Form);

        // The one address of it, which a request need not name.
        var shown = await there.OpenAsync(acme.Tenant.Path
            + new App(acme.Http, acme.Tenant.Issuer, id, redirect).Authorize(("redirect_uri", null)));

        Assert.Equal((HttpStatusCode.BadRequest, null), (shown.Status, shown.Left));
        Assert.Equal(1, host.Requests);
    }

    [Theory, Rfc("OAuth Client ID Metadata Document", "4.4")]
    [InlineData(null), InlineData("{"), InlineData("""{"client_id":"https://other.example/c"}""")]
    public async Task What_went_wrong_is_not_remembered(string? instead)
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var app = new App(server, host.At("/client.json"), Redirect);
        if (instead is not null)
        {
            host.Put("/client.json", instead);
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await ada.OpenAsync(app.Authorize())).Status);
        host.Client("/client.json");

        Assert.NotNull((await ada.AskedAsync(app.Authorize())).Form);
    }

    [Fact]
    public async Task When_the_document_changes_where_answers_go_refreshing_stops_until_a_person_agrees_again()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var app = new App(server, host.Client("/client.json"), Redirect);
        var first = await app.LetInAsync(ada);
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        host.Client(
            "/client.json", members: ",\"contacts\":[\"a@doc.example\"],\"tos_uri\":\"https://doc.example/tos\"");
        var harmless = await app.RefreshAsync(first.RefreshToken);
        Assert.Equal(HttpStatusCode.OK, harmless.Status);

        server.Clock.Advance(TimeSpan.FromMinutes(2));
        host.Client("/client.json", redirect: "https://evil.example/cb");
        TokenTests.Refused(await app.RefreshAsync(harmless.RefreshToken), "invalid_grant");

        server.Clock.Advance(TimeSpan.FromMinutes(2));
        host.Client("/client.json");
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(harmless.RefreshToken)).Status);
    }

    [Fact]
    public async Task A_document_is_in_the_log_when_its_client_is_let_in_and_again_when_it_says_something_else()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var app = new App(server, host.Client("/client.json"), Redirect);
        await ada.AskedAsync(app.Authorize());
        Assert.Empty(await KindsAsync());

        await app.LetInAsync(ada);
        await app.LetInAsync(ada);
        Assert.Equal([AuditKinds.ClientRegistered], await KindsAsync());

        server.Clock.Advance(TimeSpan.FromMinutes(2));
        host.Client("/client.json", members: ",\"scope\":\"mcp:read\"");
        await app.LetInAsync(ada);
        Assert.Equal([AuditKinds.ClientRegistered, AuditKinds.ClientChanged], await KindsAsync());

        async Task<string[]> KindsAsync() =>
        [
            .. from entry in await server.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default)
               where entry.Kind.StartsWith("client.", StringComparison.Ordinal)
               select entry.Kind,
        ];
    }

    [Fact]
    public async Task When_the_document_names_other_keys_refreshing_stops()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        host.Put("/keys", Keys(key));
        host.Put("/others", Keys(key));
        var app = new App(server, host.Client("/client.json", Signed(host, "/keys")), Redirect);
        var code = (await ada.AllowAsync(app.Authorize())).Code;
        var first = await app.RedeemAsync(code, Proof(server, app, key));
        Assert.Equal(HttpStatusCode.OK, first.Status);

        server.Clock.Advance(TimeSpan.FromMinutes(2));
        host.Client("/client.json", Signed(host, "/others"));

        TokenTests.Refused(await app.RefreshAsync(first.RefreshToken, Proof(server, app, key)), "invalid_grant");
    }

    [Fact]
    public async Task While_the_host_is_away_known_clients_go_on_and_unknown_ones_wait()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var known = new App(server, host.Client("/known.json"), Redirect);
        var unknown = new App(server, host.Client("/unknown.json"), Redirect);
        var reply = await known.LetInAsync(ada);
        for (var i = 0; i < 3; i++)
        {
            // The host begins to fail: first by its answers, then it is gone for so long that it is left alone.
            server.Clock.Advance(TimeSpan.FromDays(2));
            if (i is 0)
            {
                await host.DisposeAsync();
            }

            var asked = await unknown.RefreshAsync("x");
            Assert.Contains(asked.Status, new[] { HttpStatusCode.Unauthorized, HttpStatusCode.ServiceUnavailable });
            reply = await known.RefreshAsync(reply.RefreshToken);
            Assert.True(reply.Status is HttpStatusCode.OK, reply.Text);
        }
    }

    [Fact]
    public async Task A_host_that_stays_away_for_long_ends_what_stood_on_its_word()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var app = new App(server, host.Client("/client.json"), Redirect);
        var reply = await app.LetInAsync(ada);
        await host.DisposeAsync();
        for (var day = 0; day < 7; day++)
        {
            server.Clock.Advance(TimeSpan.FromDays(1));
            reply = await app.RefreshAsync(reply.RefreshToken);
            Assert.Equal(HttpStatusCode.OK, reply.Status);
        }

        server.Clock.Advance(TimeSpan.FromDays(1));

        TokenTests.Refused(await app.RefreshAsync(reply.RefreshToken), "invalid_client");
    }

    [Fact]
    public async Task A_host_that_was_missed_once_and_once_more_weeks_later_was_not_away_all_the_time()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var app = new App(server, host.Client("/client.json"), Redirect);
        var reply = await app.LetInAsync(ada);
        await host.DisposeAsync();
        server.Clock.Advance(TimeSpan.FromDays(1));
        reply = await app.RefreshAsync(reply.RefreshToken);
        server.Clock.Advance(TimeSpan.FromDays(14));

        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(reply.RefreshToken)).Status);
    }

    [Fact]
    public async Task A_page_that_lay_open_after_a_no_writes_nothing_of_its_client_down()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var app = new App(server, host.Client("/client.json"), Redirect);
        var question = await ada.AskedAsync(app.Authorize());
        await ada.AnswerAsync(question, "deny");
        using var late = await ada.PostAsync(question, "allow");

        var entries = await server.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
        Assert.Contains(entries, entry => entry.Kind is AuditKinds.GrantDenied);
        Assert.DoesNotContain(entries, entry => entry.Kind.StartsWith("client.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("404 Not Found")]
    [InlineData("410 Gone")]
    public async Task A_document_that_was_withdrawn_is_no_client_any_more(string status)
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var app = new App(server, host.Client("/client.json"), Redirect);
        var first = await app.LetInAsync(ada);
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        host.Put("/client.json", "", "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json");
        var second = await app.RefreshAsync(first.RefreshToken);
        Assert.Equal(HttpStatusCode.OK, second.Status);

        host.Put("/client.json", "", $"HTTP/1.1 {status}\r\nContent-Type: application/json");

        TokenTests.Refused(await app.RefreshAsync(second.RefreshToken), "invalid_client");
    }

    [Fact]
    public async Task A_client_is_new_here_until_somebody_lets_it_in()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var app = new App(server, host.Client("/client.json"), Redirect);
        Assert.Null((await FindAsync(server, app)).FirstSeen);

        await app.LetInAsync(ada);

        Assert.NotNull((await FindAsync(server, app)).FirstSeen);
        Assert.Equal(1, host.Requests);
    }

    [Fact]
    public async Task A_client_with_keys_must_sign_everywhere_and_its_keys_may_rotate()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var next = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        host.Put("/keys", Keys(key));
        var app = new App(server, host.Client("/client.json", Signed(host, "/keys")), Redirect);
        var code = (await ada.AllowAsync(app.Authorize())).Code;

        TokenTests.Refused(await app.RedeemAsync(code), "invalid_client");
        TokenTests.Refused(await app.RedeemAsync(code, Proof(server, app, next)), "invalid_client");
        var first = await app.RedeemAsync(code, Proof(server, app, key));
        Assert.Equal(HttpStatusCode.OK, first.Status);
        TokenTests.Refused(await app.RefreshAsync(first.RefreshToken), "invalid_client");
        TokenTests.Refused(await app.RevokeAsync(first.RefreshToken), "invalid_client");
        TokenTests.Refused(
            await app.IntrospectAsync(first.AccessToken), "invalid_client", System.Net.HttpStatusCode.BadRequest);

        host.Put("/keys", Keys(next));
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(first.RefreshToken, Proof(server, app, next))).Status);
    }

    [Theory]
    [InlineData("tls_client_auth", "\"none\",\"tls_client_auth\"", "none")]
    [InlineData("none", "\"none\",\"private_key_jwt\"", "private_key_jwt")]
    [InlineData("client_secret_basic", "\"private_key_jwt\",\"client_secret_basic\"", "private_key_jwt")]
    public async Task Of_several_methods_that_a_document_names_the_strongest_that_is_served_is_asked_for(
        string one, string several, string taken)
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        var methods = $",\"token_endpoint_auth_method\":\"{one}\""
            + $",\"token_endpoint_auth_methods_supported\":[{several}]";
        var url = host.Client("/client.json", $"{methods},\"jwks_uri\":\"{host.At("/keys")}\"");
        var app = new App(server, url, Redirect);

        Assert.Equal([taken], (await FindAsync(server, app)).AuthMethods);
    }

    [Fact]
    public async Task Of_the_ways_to_be_answered_that_a_document_names_those_that_are_served_count()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        var some = new App(
            server, host.Client("/some.json", ",\"response_modes\":[\"fragment\",\"jwt\"]"), Redirect);
        var none = host.Client("/none.json", ",\"response_modes\":[\"fragment\"]");

        Assert.Equal(["jwt"], (await FindAsync(server, some)).ResponseModes);
        Assert.True((await server.Get<ClientBook>().FindAsync(TenantId.Default, none, "127.0.0.0/24", default))
            .Failed(out _, out _));
    }

    [Theory, InlineData("\"use\":\"enc\",", true), InlineData("", true), InlineData("", false)]
    public async Task A_key_is_found_by_its_name_among_many_and_without_it_among_few(string use, bool isNamed)
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var others = string.Concat(Enumerable.Repeat(
            Keys(other)["{\"keys\":[".Length..^2].Replace("{", "{" + use, StringComparison.Ordinal) + ",", 12));
        host.Put("/keys", Keys(key).Insert("{\"keys\":[".Length, others));
        var app = new App(server, host.Client("/client.json", Signed(host, "/keys")), Redirect);
        var code = (await ada.AllowAsync(app.Authorize())).Code;

        var reply = await app.RedeemAsync(code, Proof(server, app, key, isNamed ? null : ""));

        Assert.Equal(isNamed ? null : "invalid_client", reply.Error);
    }

    [Fact]
    public async Task Unknown_key_names_do_not_make_us_fetch_at_their_pace()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        host.Put("/keys", Keys(key));
        var app = new App(server, host.Client("/client.json", Signed(host, "/keys")), Redirect);

        for (var i = 0; i < 20; i++)
        {
            TokenTests.Refused(await app.RefreshAsync("x", Proof(server, app, key, $"invented{i}")), "invalid_client");
        }

        Assert.Equal(2, host.Requests);
    }

    [Fact]
    public async Task Many_documents_of_one_host_do_not_make_us_a_source_of_traffic()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            using var answer = await server.Http.GetAsync(
                new Uri(new App(server, host.At($"/{i}.json"), Redirect).Authorize(), UriKind.Relative));
            return answer.StatusCode;
        }));

        Assert.Equal(new OutboundOptions().NetworkBurst, host.Requests);
        Assert.Contains(HttpStatusCode.ServiceUnavailable, answers);
        Assert.DoesNotContain(HttpStatusCode.InternalServerError, answers);
    }

    [Fact]
    public async Task One_network_does_not_use_up_what_others_and_known_clients_need_of_a_host()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var host = new DocumentHost();
        host.Put("/keys", Keys(key));
        await using var server = await TestServer.StartAsync(
            $"proxies: [127.0.0.1/32]\n{Machine(host)}");
        for (var i = 0; i < 100; i++)
        {
            using var flood = await AskAsync(server, host.At($"/{i}.json"), "198.51.100.7");
        }

        using var neighbour = await AskAsync(server, host.Client("/a.json"), "198.51.100.8");
        using var other = await AskAsync(server, host.Client("/b.json"), "203.0.113.1");
        for (var i = 0; i < 100; i++)
        {
            using var many = await AskAsync(server, host.At($"/{i}.json"), $"10.0.{i}.1");
        }

        using var late = await AskAsync(server, host.Client("/c.json"), "10.1.0.1");
        var machine = await CallAsync(server, key);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, neighbour.StatusCode);
        Assert.InRange(neighbour.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 2);
        Assert.NotEqual(HttpStatusCode.ServiceUnavailable, other.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, late.StatusCode);
        Assert.True(machine.Status is HttpStatusCode.OK, machine.Text);
    }

    [Fact]
    public async Task A_client_whose_keys_there_is_no_room_to_fetch_is_told_to_come_back()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var host = new DocumentHost();
        host.Put("/keys", Keys(key));
        await using var server = await TestServer.StartAsync(Machine(host));
        for (var i = 0; i < new OutboundOptions().HostBurst; i++)
        {
            await server.Get<SafeHttp>().GetAsync(host.At($"/{i}"), FetchRules.Json, default);
        }

        var full = await CallAsync(server, key);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        var later = await CallAsync(server, key);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, full.Status);
        Assert.Contains("temporarily_unavailable", full.Text, StringComparison.Ordinal);
        Assert.True(later.Status is HttpStatusCode.OK, later.Text);
    }

    [Fact]
    public async Task What_self_registered_clients_have_fetched_is_not_missing_to_those_an_operator_knows()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var host = new DocumentHost();
        host.Put("/keys", Keys(key));
        await using var server = await TestServer.StartAsync(Machine(host));
        var made = await Registered.PostAsync(
            server,
            $$"""
            {"redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"private_key_jwt",
             "jwks_uri":"{{host.At("/none")}}"}
            """);
        var registered = new App(server, made.Member("client_id")!, "");
        var last = default(Reply);
        for (var i = 0; i <= new OutboundOptions().HostBurst; i++)
        {
            last = await registered.PostAsync(
                "/token", [("grant_type", "authorization_code"), .. Proof(server, registered, key)]);
        }

        var machine = await CallAsync(server, key);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, last!.Status);
        Assert.True(machine.Status is HttpStatusCode.OK, machine.Text);
    }

    [Fact]
    public async Task Documents_of_clients_that_a_person_let_in_take_nothing_from_those_an_operator_knows()
    {
        await using var host = new DocumentHost();
        host.Put("/keys", "{}");
        await using var server = await TestServer.StartAsync(host.Settings + App.Town);
        using var ada = new Person(server);
        var app = new App(server, host.Client("/client.json"), Redirect);
        await app.LetInAsync(ada);
        host.Put("/client.json", "{}", "HTTP/1.1 500 X\r\nContent-Type: application/json");
        server.Clock.Advance(TimeSpan.FromHours(1));
        var book = server.Get<ClientBook>();

        for (var i = 0; i < new OutboundOptions().HostBurst; i++)
        {
            await book.FindAsync(TenantId.Default, app.Id, "", default);
            await book.FindKnownAsync(TenantId.Default, app.Id, "", default);
        }

        Assert.IsType<FetchOutcome.Answered>(
            await server.Get<SafeHttp>().GetAsync(host.At("/keys"), FetchRules.Json, default));
    }

    [Fact]
    public async Task A_client_whose_new_key_there_is_no_room_to_fetch_is_told_to_come_back()
    {
        using var old = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var young = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var host = new DocumentHost();
        host.Put("/keys", Keys(old));
        await using var server = await TestServer.StartAsync(Machine(host));
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(server, old)).Status);
        host.Put("/keys", Keys(young));
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        for (var i = 0; i < new OutboundOptions().HostBurst; i++)
        {
            await server.Get<SafeHttp>().GetAsync(host.At($"/{i}"), FetchRules.Json, default);
        }

        var (full, known) = (await CallAsync(server, young), await CallAsync(server, old));
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        var later = await CallAsync(server, young);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "temporarily_unavailable"), (full.Status, full.Error));
        Assert.True(known.Status is HttpStatusCode.OK, known.Text);
        Assert.True(later.Status is HttpStatusCode.OK, later.Text);
    }

    [Fact]
    public async Task An_operator_can_refuse_documents()
    {
        await using var host = new DocumentHost();
        await using var server = await TestServer.StartAsync(
            $"registration: {{ metadata_documents: false }}\n{host.Settings}{App.Town}");
        var app = new App(server, host.Client("/client.json"), Redirect);

        using var answer = await server.Http.GetAsync(new Uri(app.Authorize(), UriKind.Relative));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(0, host.Requests);
    }

    private static string Machine(DocumentHost host) => host.Settings + App.Town.Replace(
        "\nservers:",
        $"""

          - client_id: machine
            token_endpoint_auth_method: private_key_jwt
            jwks_uri: {host.At("/keys")}
            grant_types: [client_credentials]
            scope: mcp:read
            resources: [echo]
        servers:
        """,
        StringComparison.Ordinal);

    private static Task<Reply> CallAsync(TestServer server, ECDsa key)
    {
        var app = new App(server, "machine", "");
        return app.PostAsync("/token", [("grant_type", "client_credentials"), .. Proof(server, app, key)]);
    }

    private static async Task<HttpResponseMessage> AskAsync(TestServer server, string client, string address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new App(server, client, Redirect).Authorize());
        request.Headers.Add("X-Forwarded-For", address);
        return await server.Http.SendAsync(request);
    }

    private static async Task<Client> FindAsync(TestServer server, App app)
    {
        var found = await server.Get<ClientBook>().FindAsync(TenantId.Default, app.Id, "", default);
        Assert.False(found.Failed(out _, out var client));
        return client;
    }

    private static List<(string What, string Url)> Wrong(DocumentHost host)
    {
        var wrong = new List<(string, string)>();
        Add(
            "another client_id",
            """{"client_id":"https://other.example/c","client_name":"a","redirect_uris":["https://doc.example/cb"]}""");
        Add("client_id in another case", Document().Replace("/c", "/C", StringComparison.Ordinal));
        Add("no client_id", "{\"client_name\":\"a\",\"redirect_uris\":[\"https://doc.example/cb\"]}");
        Add("no name", Document().Replace("client_name", "name", StringComparison.Ordinal));
        Add("no redirect", Document().Replace("redirect_uris", "uris", StringComparison.Ordinal));
        Add("a secret", Document(",\"client_secret\":\"s\""));
        Add("a null secret", Document(",\"client_secret\":null"));
        Add("a secret that expires", Document(",\"client_secret_expires_at\":0"));
        Add("client_secret_basic", Document(",\"token_endpoint_auth_method\":\"client_secret_basic\""));
        Add("client_secret_post", Document(",\"token_endpoint_auth_method\":\"client_secret_post\""));
        Add("client_secret_jwt", Document(",\"token_endpoint_auth_method\":\"client_secret_jwt\""));
        Add("keys for nothing", Document(",\"token_endpoint_auth_method\":\"private_key_jwt\""));
        Add(
            "keys twice",
            Document(",\"jwks\":{\"keys\":[{\"kty\":\"EC\"}]},\"jwks_uri\":\"https://doc.example/keys\""));
        Add("a private key", Document(",\"jwks\":{\"keys\":[{\"kty\":\"EC\",\"d\":\"d\"}]}"));
        Add("a repeated member", Document(",\"client_name\":\"b\""));
        Add("a private scheme", Document().Replace(Redirect, "cursor://callback", StringComparison.Ordinal));
        Add("a script", Document().Replace(Redirect, "javascript:alert(1)", StringComparison.Ordinal));
        Add("no object", "[]");
        Add("no JSON", "<html>");
        Add("large", Document($",\"x\":\"{new string('x', 5200)}\""));
        Add("HTML", Document(), "HTTP/1.1 200 OK\r\nContent-Type: text/html");
        Add("no type", Document(), "HTTP/1.1 200 OK");
        foreach (var status in (int[])[201, 204, 301, 302, 303, 307, 308, 404, 500])
        {
            host.Client("/good");
            Add(
                $"{status}",
                Document(),
                $"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nLocation: {host.At("/good")}");
        }

        return wrong;

        string Document(string members = "") =>
            $$"""
            {"client_id":"{{host.At($"/c{wrong.Count}")}}","client_name":"a",
            "redirect_uris":["{{Redirect}}"]{{members}}}
            """;

        void Add(string what, string body, string head = DocumentHost.Ok)
        {
            var path = $"/c{wrong.Count}";
            host.Put(path, body, head);
            wrong.Add((what, host.At(path)));
        }
    }

    private static string Signed(DocumentHost host, string keys) =>
        $",\"token_endpoint_auth_method\":\"private_key_jwt\",\"jwks_uri\":\"{host.At(keys)}\"";

    private static string Keys(ECDsa key)
    {
        var q = key.ExportParameters(false).Q;
        var (x, y) = (Base64Url.EncodeToString(q.X), Base64Url.EncodeToString(q.Y));
        return $$"""{"keys":[{"kty":"EC","crv":"P-256","kid":"{{Kid(key)}}","x":"{{x}}","y":"{{y}}"}]}""";
    }

    private static string Encoded(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    private static string Kid(ECDsa key) => Base64Url.EncodeToString(key.ExportParameters(false).Q.X).Substring(0, 8);

    private static (string Name, string? Value)[] Proof(TestServer server, App app, ECDsa key, string? kid = null)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        var head = $$"""{"alg":"ES256","kid":"{{kid ?? Kid(key)}}"}""";
        var claims =
            $$"""
            {"iss":"{{app.Id}}","sub":"{{app.Id}}","aud":"{{server.Issuer}}",
             "exp":{{now + 60}},"jti":"{{Guid.NewGuid()}}"}
            """;
        var input = $"{Encoded(head)}.{Encoded(claims)}";
        var signature = Base64Url.EncodeToString(
            key.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256));
        return
        [
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", $"{input}.{signature}"),
        ];
    }
}
