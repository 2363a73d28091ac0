using System.Net;
using AngleSharp.Html.Parser;
using Postern.OAuth.ClientAuth;
using Postern.Platform;
using Postern.Platform.Configuration;

namespace Postern.Tests.OAuth;

/// <summary>
/// The authorization endpoint: what is shown, what is redirected, and in which order things are checked.
/// </summary>
public sealed class AuthorizeTests(Town town) : IClassFixture<Town>
{
    private TestServer Server => town.Server;

    public static TheoryData<string, string?, string> Faults => new()
    {
        { "response_type", null, "invalid_request" },
        { "response_type", "", "invalid_request" },
        { "response_type", "token", "unsupported_response_type" },
        { "response_type", "code token", "unsupported_response_type" },
        { "response_type", "id_token", "unsupported_response_type" },
        { "response_type", "CODE", "unsupported_response_type" },
        { "response_mode", "fragment", "invalid_request" },
        { "response_mode", "fragment.jwt", "invalid_request" },
        { "response_mode", "web_message", "invalid_request" },
        { "response_mode", "FORM_POST", "invalid_request" },
        { "code_challenge", null, "invalid_request" },
        { "code_challenge", "", "invalid_request" },
        { "code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", "invalid_request" },
        { "code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMM", "invalid_request" },
        { "code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", "invalid_request" },
        { "code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=", "invalid_request" },
        { "code_challenge_method", null, "invalid_request" },
        { "code_challenge_method", "", "invalid_request" },
        { "code_challenge_method", "plain", "invalid_request" },
        { "code_challenge_method", "s256", "invalid_request" },
        { "code_challenge_method", "S256 ", "invalid_request" },
        { "code_challenge_method", "S512", "invalid_request" },
        { "resource", null, "invalid_target" },
        { "resource", "", "invalid_target" },
        { "resource", "https://elsewhere.example/mcp", "invalid_target" },
        { "resource", "echo", "invalid_target" },
        { "resource", "ECHO", "invalid_target" },
        { "resource", "#", "invalid_target" },
        { "resource", "/", "invalid_target" },
        { "resource", "two", "invalid_target" },
        { "scope", "admin", "invalid_scope" },
        { "scope", "offline_access", "invalid_scope" },
        { "scope", "mcp:read  mcp:write", "invalid_scope" },
        { "scope", "mcp:read ", "invalid_scope" },
        { "scope", "\"mcp:read\"", "invalid_scope" },
        { "prompt", "none", "interaction_required" },
        { "prompt", "none login", "invalid_request" },
        { "max_age", "soon", "invalid_request" },
        { "max_age", "-1", "invalid_request" },
        { "max_age", "99999999999999999999", "invalid_request" },
        { "request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported" },
        { "request_uri", "https://elsewhere.example/request", "request_uri_not_supported" },
        { "authorization_details", "[]", "invalid_authorization_details" },
        { "authorization_details", "{}", "invalid_authorization_details" },
        { "authorization_details", "[{\"type\":\"unheard_of\"}]", "invalid_authorization_details" },
        { "authorization_details", "[{\"type\":\"mcp_tool\",\"actions\":[\"a\"]}]", "invalid_authorization_details" },
        {
            "authorization_details",
            "[{\"type\":\"mcp_tool\",\"locations\":[\"https://elsewhere.example\"],\"actions\":[\"a\"]}]",
            "invalid_authorization_details"
        },
    };

    [Theory, MemberData(nameof(Faults))]
    [Rfc(6749, "4.1.2.1"), Rfc(9207, "2"), Rfc(7636, "4.4.1"), Rfc(8707, "2")]
    [Rfc(6749, "3.1.1"), Rfc(8707, "2.1"), Rfc(9700, "2.1.2")]
    public async Task A_fault_is_told_to_a_proven_address_with_state_and_one_iss(
        string parameter, string? value, string error)
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            // Form endpoints take each parameter once, resource too.
            if (method == HttpMethod.Post && value is "two")
            {
                continue;
            }

            using var answer = await SendAsync(method, App.Web(Server).Authorize(Fault(parameter, value)));

            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
            var told = new Answer(answer.Headers.Location!);
            Assert.StartsWith("https://web.example/cb?", told.Address.OriginalString, StringComparison.Ordinal);
            Assert.Equal([error], told.All("error"));
            Assert.DoesNotContain(
                told["error"] + told["error_description"], c => c is < ' ' or > '~' or '"' or '\\');
            Assert.Equal([Server.Issuer], told.All("iss"));
            Assert.Equal(["the state + of it"], told.All("state"));
            Assert.Null(told["code"]);
        }
    }

    public static TheoryData<string, string?> Strangers => new()
    {
        { "client_id", null },
        { "client_id", "" },
        { "client_id", "nobody" },
        { "client_id", "we\0b" },
        { "client_id", "wéb" },
        { "client_id", new string('c', 2900) },
        { "client_id", "https://" },
        { "client_id", "https://127.0.0.1/client.json" },
        { "client_id", "http://web.example/client.json" },
        { "redirect_uri", "https://evil.example/cb" },
        { "redirect_uri", "javascript:alert(1)" },
        { "redirect_uri", "\\\\evil" },
        { "redirect_uri", new string('u', 3001) },
        { "state", new string('s', 3001) },
        { "state", "two\r\nlines" },
        { "state", "\0" },
        { "whatever", new string('w', 3001) },
        { "request_uri", "urn:ietf:params:oauth:request_uri:x" },
        { "request", new string('r', 12_001) },
    };

    [Theory, MemberData(nameof(Strangers)), Rfc(6749, "4.1.2.1"), Rfc(9700, "4.11")]
    [Rfc(6749, "3.1.2.4"), Rfc(6749, "4.1.1"), Rfc(6749, "10.15")]
    public async Task Before_client_and_address_are_proven_nothing_is_redirected(string parameter, string? value)
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            // Everything else is wrong too: what is checked first must answer.
            using var answer = await SendAsync(method, App.Web(Server).Authorize(
                (parameter, value), ("response_type", "bogus"), ("code_challenge", null), ("scope", "\"")));

            await ShownAsync(answer);
        }
    }

    [Theory, Rfc(6749, "3.1")]
    [InlineData("client_id")]
    [InlineData("redirect_uri")]
    [InlineData("response_type")]
    [InlineData("scope")]
    [InlineData("state")]
    [InlineData("code_challenge")]
    [InlineData("code_challenge_method")]
    [InlineData("prompt")]
    [InlineData("anything")]
    public async Task A_parameter_that_comes_twice_is_shown_and_never_redirected(string parameter)
    {
        foreach (var (first, second) in ((string, string)[])[("x", "x"), ("x", "y"), ("", "")])
        {
            using var query = await SendAsync(
                HttpMethod.Get, App.Web(Server).Authorize((parameter, first), (parameter, second)));
            using var form = await SendAsync(
                HttpMethod.Post, App.Web(Server).Authorize((parameter, first), (parameter, second)));

            await ShownAsync(query);
            await ShownAsync(form);
        }
    }

    [Fact, Rfc(9207, "2"), Rfc(6749, "4.1.2")]
    [Rfc("OpenID Connect Core", "3.1.2.5")]
    public async Task A_yes_brings_code_state_and_one_iss()
    {
        var answer = await town.Ada.AllowAsync(App.Web(Server).Authorize());

        Assert.Equal([Server.Issuer], answer.All("iss"));
        Assert.Equal(["the state + of it"], answer.All("state"));
        Assert.Single(answer.All("code"));
        Assert.Null(answer["error"]);
    }

    [Fact]
    public async Task A_request_by_form_leads_to_the_same_question()
    {
        // The longest that is taken, in characters that are escaped in an address.
        var longest = App.Web(Server).Authorize(
            ("state", new string('"', 3000)), ("other", new string('\u00e9', 1000)));
        using var answer = await SendAsync(HttpMethod.Post, longest);
        using var same = await SendAsync(HttpMethod.Get, answer.Headers.Location!.OriginalString);

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
        Assert.StartsWith(
            "/authorize?response_type=code&", answer.Headers.Location.OriginalString, StringComparison.Ordinal);
        Assert.StartsWith("/signin?transaction=", same.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_parameter_beside_the_transaction_changes_nothing_of_what_was_begun()
    {
        var question = await town.Ada.AskedAsync(App.Web(Server).Authorize());
        var transaction = Uri.EscapeDataString(question.Fields()["transaction"][0]);
        var twisted = App.Native(Server).Authorize(("response_type", "token")) + "&transaction=" + transaction;

        var again = await town.Ada.AskedAsync(twisted);
        var stop = await town.Ada.AnswerAsync(again, "allow");

        Assert.Equal("web.example", stop.Left!.Host);
    }

    [Theory]
    [InlineData("s")]
    [InlineData("+")]
    [InlineData("\"")]
    [InlineData("<")]
    [InlineData("\\")]
    public async Task The_longest_state_comes_back_as_it_was_sent(string character)
    {
        var state = string.Concat(Enumerable.Repeat(character, 3000));

        var answer = await town.Ada.AllowAsync(App.Web(Server).Authorize(("state", state)));

        Assert.Equal(state, answer["state"]);
    }

    [Fact]
    public async Task An_agreement_is_never_taken_from_an_earlier_one()
    {
        await town.Ada.AllowAsync(App.Native(Server).Authorize());

        var again = await town.Ada.OpenAsync(
            App.Native(Server).Authorize(("redirect_uri", "http://127.0.0.1:50123/callback")));

        Assert.NotNull(again.Page!.QuerySelector("form.consent"));
    }

    [Theory, InlineData("prompt", "login"), InlineData("max_age", "0"), InlineData("max_age", "60")]
    public async Task A_request_for_a_fresh_sign_in_asks_once_and_then_goes_on(string parameter, string value)
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        await ada.SignInAsync();
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        var app = App.Web(server);

        using var begun = await ada.GetAsync(app.Authorize((parameter, value)));
        Assert.StartsWith("/signin?", begun.Headers.Location!.OriginalString, StringComparison.Ordinal);
        var question = await ada.AskedAsync(begun.Headers.Location.OriginalString);
        server.Clock.Advance(TimeSpan.FromSeconds(45));
        var stop = await ada.AnswerAsync(question, "allow");

        Assert.NotNull(new Answer(stop.Left!).Code);
    }

    [Fact, Rfc(9700, "4.11.2")]
    public async Task For_a_client_nobody_vouches_for_a_person_sees_where_a_refusal_leads()
    {
        var app = await Registered.Async(Server, "https://stranger.example/cb");

        using var answer = await SendAsync(HttpMethod.Get, app.Authorize(("scope", "admin")));

        Assert.Null(answer.Headers.Location);
        var page = new HtmlParser().ParseDocument(await answer.Content.ReadAsStringAsync());
        var link = page.QuerySelector("a[href^='https://stranger.example/cb']")!.GetAttribute("href")!;
        Assert.Equal([Server.Issuer], new Answer(new(link)).All("iss"));
        Assert.Contains("stranger.example", page.Body!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_way_back_to_an_app_is_named_by_its_scheme()
    {
        var app = await Registered.Async(Server, "com.example.app:/cb");

        using var answer = await SendAsync(HttpMethod.Get, app.Authorize(("scope", "admin")));

        var page = new HtmlParser().ParseDocument(await answer.Content.ReadAsStringAsync());
        Assert.Equal(
            "Go back to com.example.app", page.QuerySelector("a[href^='com.example.app:']")!.TextContent.Trim());
    }

    [Theory]
    [InlineData("/token")]
    [InlineData("/introspect")]
    [InlineData("/revoke")]
    [InlineData("/authorize")]
    public async Task A_form_in_another_alphabet_is_refused_and_nothing_breaks(string path)
    {
        foreach (var charset in new[] { "utf-7", "utf-16", "UTF-32", "no-such-thing", "\"\"" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
            request.Content = new ByteArrayContent("a=b"u8.ToArray());
            request.Content.Headers.TryAddWithoutValidation(
                "Content-Type", $"application/x-www-form-urlencoded; charset={charset}");

            using var answer = await Server.Http.SendAsync(request);

            Assert.True(answer.StatusCode is HttpStatusCode.BadRequest, $"{charset}: {answer.StatusCode}");
            Assert.True(
                path is "/authorize" || (await Reply.ReadAsync(answer)).Error is "invalid_request", charset);
        }
    }

    [Fact]
    public async Task A_loopback_client_cannot_lead_back_to_this_server()
    {
        var own = $"{Server.Issuer}/me";

        using var answer = await SendAsync(HttpMethod.Get, App.Native(Server).Authorize(
            ("redirect_uri", $"{Server.Issuer}/callback")));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Null(answer.Headers.Location);
        var registered = await Registered.PostAsync(Server, $$"""{"redirect_uris":["{{own}}"]}""");
        Assert.Equal("invalid_redirect_uri", registered.Error);
        var settings = SettingsReader.Read(SettingsSource.Parse(
            "postern.yaml",
            "issuer: https://own.example\nclients: [{ client_id: a, redirect_uris: [\"https://OWN.example:443/me\"] }]",
            new Dictionary<string, string>(),
            new Dictionary<string, string>()));
        var refused = Assert.Throws<SetupException>(() => ConfiguredClient.Read(settings.Clients[0], settings));
        Assert.Contains("https://own.example is this server", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_of_more_than_an_address_can_carry_is_shown_and_never_redirected()
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            using var answer = await SendAsync(method, App.Web(Server).Authorize(
                ("state", new string('s', 2900)), ("whatever", new string('w', 2900))));

            await ShownAsync(answer);
        }
    }

    [Theory, Rfc(8707, "2")]
    [InlineData("one, two", "default_server: two", "two")]
    [InlineData("only", "", "only")]
    public async Task A_request_that_names_no_resource_is_for_the_server_that_is_the_default(
        string servers, string setting, string meant)
    {
        var named = servers.Split(", ").Select(name => $"{{ name: {name}, http: http://127.0.0.1:9/mcp }}");
        await using var server = await TestServer.StartAsync(
            $$"""
            demo: false
            {{setting}}
            users: [{ email: {{Person.Ada}}, password: {{Person.AdasPassword}} }]
            clients: [{ client_id: native, redirect_uris: ["http://127.0.0.1:8765/callback"] }]
            servers: [{{string.Join(", ", named)}}]
            """);
        using var ada = new Person(server);
        var app = App.Native(server);

        var answer = await ada.AllowAsync(app.Authorize(("resource", null)));
        var reply = await app.RedeemAsync(answer.Code, ("resource", null));

        Assert.Equal($"{server.Issuer}/mcp/{meant}", reply.Claims.GetProperty("aud").GetString());
    }

    [Fact]
    public async Task A_request_that_nobody_answers_leaves_nothing_behind()
    {
        var before = await RowsAsync();
        for (var i = 0; i < 20; i++)
        {
            using var answer = await SendAsync(HttpMethod.Get, App.Native(Server).Authorize(("state", $"{i}")));
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        }

        Assert.Equal(before, await RowsAsync());
    }

    private async Task<string> RowsAsync()
    {
        string[] tables = ["grants", "families", "clients", "installations", "used_once", "audit_entries", "sessions"];
        var counts = new List<long>();
        foreach (var table in tables)
        {
            var sql = System.Runtime.CompilerServices.FormattableStringFactory.Create($"select count(*) from {table}");
            counts.Add((await Server.Db.FirstAsync(sql, row => Tuple.Create(row.GetInt64(0)), default))!.Item1);
        }

        return string.Join(' ', counts);
    }

    private static async Task ShownAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Null(answer.Headers.Location);
        Assert.False(answer.Headers.Contains("Refresh"));
        var page = new HtmlParser().ParseDocument(await answer.Content.ReadAsStringAsync());
        Assert.Null(page.QuerySelector("meta[http-equiv=refresh]"));
        Assert.Null(page.QuerySelector("a[href^='http']"));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string address)
    {
        if (method == HttpMethod.Get)
        {
            return await Server.Http.GetAsync(new Uri(address, UriKind.Relative));
        }

        using var content = new StringContent(address.Split('?')[1]);
        content.Headers.ContentType = new("application/x-www-form-urlencoded");
        return await Server.Http.PostAsync(new Uri("/authorize", UriKind.Relative), content);
    }

    private (string Name, string? Value)[] Fault(string parameter, string? value) => (parameter, value) switch
    {
        ("resource", "#" or "/") => [(parameter, App.Web(Server).Resource + value)],
        ("resource", "ECHO") => [(parameter, $"{Server.Issuer}/mcp/ECHO")],
        ("resource", "two") => [(parameter, App.Web(Server).Resource), (parameter, $"{Server.Issuer}/mcp/files")],
        _ => [(parameter, value)],
    };
}
