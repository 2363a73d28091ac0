using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Postern.Api;
using Postern.Audit;
using Postern.Grants;
using Postern.Identity.Users;
using Postern.Platform;
using Postern.Platform.Database;
using Postern.Platform.Keys;
using Postern.Servers;

namespace Postern.Tests.Api;

/// <summary>The admin API, over HTTP, with the token the server made.</summary>
public sealed class ApiTests : IAsyncLifetime
{
    private const string Yaml =
        """
        outbound: { allow: [127.0.0.2/32] }
        users:
          - { email: ada@example.test, password: correct-horse-battery-staple }
        servers:
          - { name: crm, http: "http://127.0.0.1:9/mcp?key=upstream-key" }
        """;

    private TestServer server = null!;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync(Yaml);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private string TokenFile => Path.Combine(server.Folder, "admin.token");

    private string Token => File.ReadAllText(TokenFile).Trim();

    [Theory]
    [InlineData("https://evil.example", false)]
    [InlineData("null", false)]
    [InlineData("http://localhost:1", false)]
    [InlineData("own", true)]
    public async Task A_page_of_another_origin_is_turned_away_also_with_the_token(string origin, bool isLetIn)
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Options, HttpMethod.Delete])
        {
            using var request = new HttpRequestMessage(method, new Uri("/api/status", UriKind.Relative));
            request.Headers.Authorization = new("Bearer", Token);
            request.Headers.Add("Origin", origin is "own" ? server.Issuer : origin);
            using var answer = await server.Http.SendAsync(request);
            Assert.Equal(isLetIn, answer.StatusCode is not HttpStatusCode.Forbidden);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public async Task Every_route_of_the_API_is_closed_without_the_token()
    {
        var routes = server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(route => "/" + route.RoutePattern.RawText!.TrimStart('/'))
            .Where(route => route.StartsWith("/api", StringComparison.Ordinal))
            .Select(route => route.TrimEnd('/'))
            .Distinct().ToList();

        Assert.True(routes.Count >= 7, string.Join(' ', routes));
        foreach (var route in routes)
        {
            foreach (var method in new[] { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" })
            {
                using var answer = await SendAsync(new(method), route.Replace("{**rest}", "any/thing"), null);
                Assert.True(answer.StatusCode is HttpStatusCode.Unauthorized, $"{method} {route}: {answer.StatusCode}");
                Assert.Equal("Bearer realm=\"postern-api\"", answer.Headers.WwwAuthenticate.ToString());
            }
        }
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer pad_")]
    [InlineData("Basic TOKEN")]
    [InlineData("TOKEN")]
    [InlineData("Bearer TOKEN ")]
    [InlineData("Bearer  TOKEN")]
    [InlineData("Bearer TOKEN,Bearer TOKEN")]
    [InlineData("Bearer SHORTER")]
    [InlineData("Bearer OTHER")]
    [InlineData("Bearer UPPER")]
    public async Task What_is_not_exactly_the_token_opens_nothing(string header)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/status");
        request.Headers.TryAddWithoutValidation("Authorization", header
            .Replace("TOKEN", Token)
            .Replace("SHORTER", Token[..^1])
            .Replace("OTHER", "pad_" + Secret.New(server.Get<RandomNumberGenerator>()).Reveal())
            .Replace("UPPER", Token.ToUpperInvariant()));

        using var answer = await server.Http.SendAsync(request);

        // The trailing blank is trimmed by every HTTP stack; what is left is the token.
        Assert.Equal(header.EndsWith("TOKEN ") ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task The_token_in_the_address_opens_nothing()
    {
        using var answer = await SendAsync(HttpMethod.Get, $"/api/status?access_token={Token}", null);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task The_token_stays_over_restarts_and_is_the_owners_alone()
    {
        var before = Token;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(TokenFile));

        await using var again = BuildBeside();

        Assert.Equal(before, Token);
        Assert.True(again.Services.GetRequiredService<AdminToken>().IsIn($"Bearer {before}"));
    }

    [Theory]
    [InlineData("pad_tooshort", UnixFileMode.UserRead | UnixFileMode.UserWrite, "does not hold a token")]
    [InlineData("", UnixFileMode.UserRead | UnixFileMode.UserWrite, "does not hold a token")]
    [InlineData(null, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, "chmod 600")]
    public async Task A_token_file_that_is_broken_or_open_to_others_stops_the_start(
        string? text, UnixFileMode mode, string says)
    {
        await File.WriteAllTextAsync(TokenFile, text ?? Token);
        File.SetUnixFileMode(TokenFile, mode);

        var refused = Assert.Throws<SetupException>(BuildBeside);

        Assert.Contains(says, refused.Message);
    }

    [Fact]
    public async Task A_server_is_added_listed_and_removed_and_the_log_says_so()
    {
        using (var added = await PostAsync(
            """{"name":"wiki","url":"http://127.0.0.2:7000/mcp","title":"Wiki","tools":{"purge":"destroy"}}"""))
        {
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);
            Assert.Equal($"{server.Issuer}/api/servers/wiki", added.Headers.Location!.OriginalString);
        }

        var listed = (await JsonAsync("/api/servers")).GetProperty("servers").EnumerateArray().Single(
            entry => Text(entry, "name") is "wiki");
        Assert.Equal(
            ("Wiki", "http", $"{server.Issuer}/mcp/wiki", "api"),
            (Text(listed, "title"), Text(listed, "kind"), Text(listed, "resource"), Text(listed, "origin")));
        using (var taken = await PostAsync("""{"name":"wiki","url":"http://127.0.0.2:7000/other"}"""))
        {
            await IsProblemAsync(taken, HttpStatusCode.Conflict);
        }

        using (var removed = await SendAsync(HttpMethod.Delete, "/api/servers/wiki", Token))
        {
            Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        }

        Assert.DoesNotContain(
            (await JsonAsync("/api/servers")).GetProperty("servers").EnumerateArray(),
            entry => Text(entry, "name") is "wiki");
        Assert.Equal(
            [AuditKinds.ServerAdded, AuditKinds.ServerRemoved],
            await KindsAsync(kind => kind.StartsWith("server.", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("crm", HttpStatusCode.Conflict)]
    [InlineData("notes", HttpStatusCode.Conflict)]
    [InlineData("nobody", HttpStatusCode.NotFound)]
    [InlineData("NOTES", HttpStatusCode.NotFound)]
    public async Task What_the_API_did_not_add_it_does_not_remove(string name, HttpStatusCode status)
    {
        using var answer = await SendAsync(HttpMethod.Delete, $"/api/servers/{name}", Token);

        await IsProblemAsync(answer, status);
        Assert.Equal(2, (await JsonAsync("/api/servers")).GetProperty("servers").GetArrayLength());
    }

    [Fact]
    public async Task The_list_of_servers_does_not_tell_keys_in_their_addresses() =>
        Assert.DoesNotContain("upstream-key", (await JsonAsync("/api/servers")).GetRawText());

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"url":"http://127.0.0.2/"}""")]
    [InlineData("""{"name":null,"url":"http://127.0.0.2/"}""")]
    [InlineData("""{"name":"a","name":"b","url":"http://127.0.0.2/"}""")]
    [InlineData("""{"name":"a","url":"http://127.0.0.2/","command":["sh"]}""")]
    [InlineData("""{"name":"a","Name":"b","url":"http://127.0.0.2/"}""")]
    [InlineData("""{"name":"a","url":"http://127.0.0.2/","tools":{"x":"read","x":"destroy"}}""")]
    [InlineData("""{"name":"a","url":"http://127.0.0.2/","tools":{"x":"sometimes"}}""")]
    [InlineData("""{"name":"a","url":"http://127.0.0.2/","tools":{"":"read"}}""")]
    [InlineData("""{"name":"a","url":"http://127.0.0.2/","title":""}""")]
    [InlineData("""{"name":"a","url":"http://127.0.0.2/","title":"two\nlines"}""")]
    [InlineData("""{"name":"A","url":"http://127.0.0.2/"}""")]
    [InlineData("""{"name":"-a","url":"http://127.0.0.2/"}""")]
    [InlineData("""{"name":"a/b","url":"http://127.0.0.2/"}""")]
    [InlineData("""{"name":"a","url":"http://127.0.0.2/"} {}""")]
    public async Task A_body_that_is_not_exactly_a_server_is_refused(string body)
    {
        using var answer = await PostAsync(body);

        await IsProblemAsync(answer, HttpStatusCode.BadRequest);
        Assert.Equal(2, (await JsonAsync("/api/servers")).GetProperty("servers").GetArrayLength());
    }

    [Fact]
    public async Task A_body_without_end_or_of_another_type_is_refused()
    {
        using var large = await PostAsync(
            $$"""{"name":"a","url":"http://127.0.0.2/","title":"{{new string('x', 40_000)}}"}""");
        await IsProblemAsync(large, HttpStatusCode.BadRequest);

        using var form = await PostAsync("""{"name":"a","url":"http://127.0.0.2/"}""", "text/plain");
        await IsProblemAsync(form, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Addresses_that_are_not_the_publics_are_refused_in_the_same_words()
    {
        string[] addresses =
        [
            "http://127.0.0.1:22/", "https://127.0.0.1/", "https://localhost/", "https://[::1]/",
            "https://10.0.0.1/", "https://192.168.1.1/mcp", "https://169.254.169.254/latest/meta-data",
            "https://[::ffff:10.0.0.1]/", "https://[fd00::1]/", "https://2130706433/", "https://0x7f.1/",
            "https://127.1/", "http://example.com/", "https://example.com:8443/", "https://user@127.0.0.2/",
            "http://127.0.0.2/#x",
            "file:///etc/passwd", "javascript:alert(1)", "not a url", "", "https://nowhere.invalid/",
        ];
        var words = new HashSet<string>();
        foreach (var address in addresses)
        {
            using var answer = await PostAsync($$"""{"name":"inside","url":{{JsonSerializer.Serialize(address)}}}""");
            Assert.True(answer.StatusCode is HttpStatusCode.BadRequest, address);
            words.Add(await answer.Content.ReadAsStringAsync());
        }

        Assert.Single(words);
        Assert.Equal(2, (await JsonAsync("/api/servers")).GetProperty("servers").GetArrayLength());
    }

    [Fact]
    public async Task Grants_are_listed_page_by_page_each_once()
    {
        var made = await MakeGrantsAsync(5);

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await JsonAsync($"/api/grants?limit=2{(cursor is null ? "" : $"&cursor={cursor}")}");
            seen.AddRange(page.GetProperty("grants").EnumerateArray().Select(grant => Text(grant, "id")!));
            cursor = Text(page, "next");
        }
        while (cursor is not null && seen.Count < 20);

        Assert.Equal(made.Select(grant => grant.Id.Value).Reverse(), seen);
        Assert.Equal("ada@example.test", Text((await JsonAsync("/api/grants")).GetProperty("grants")[0], "email"));
    }

    [Fact]
    public async Task A_cursor_is_good_as_it_was_given_and_in_no_other_form()
    {
        await MakeGrantsAsync(3);
        var cursor = Text(await JsonAsync("/api/grants?limit=1"), "next")!;

        for (var at = 0; at < cursor.Length; at++)
        {
            var altered = cursor.Remove(at, 1).Insert(at, cursor[at] is 'A' ? "B" : "A");
            using var answer = await SendAsync(HttpMethod.Get, $"/api/grants?cursor={altered}", Token);
            await IsProblemAsync(answer, HttpStatusCode.BadRequest);
        }
    }

    [Theory]
    [InlineData("grants?limit=0")]
    [InlineData("grants?limit=201")]
    [InlineData("grants?limit=-1")]
    [InlineData("grants?limit=1e2")]
    [InlineData("grants?limit=%201")]
    [InlineData("grants?limit=")]
    [InlineData("grants?limit=99999999999999999999")]
    [InlineData("grants?limit=5&limit=6")]
    [InlineData("grants?limits=5")]
    [InlineData("grants?sort=id")]
    [InlineData("grants?cursor=")]
    [InlineData("grants?cursor=gr_01a201975057784a812528642ff122c9")]
    [InlineData("grants?cursor=%27%3B%20drop%20table%20grants%3B--")]
    [InlineData("audit?after=-2")]
    [InlineData("audit?after=1;select")]
    [InlineData("audit?after=9223372036854775808")]
    [InlineData("audit?limit=1001")]
    [InlineData("audit?cursor=1")]
    public async Task A_query_that_is_not_understood_is_refused_and_not_guessed(string query)
    {
        using var answer = await SendAsync(HttpMethod.Get, $"/api/{query}", Token);

        await IsProblemAsync(answer, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_cursor_as_long_as_an_address_may_be_is_refused()
    {
        using var answer = await SendAsync(HttpMethod.Get, $"/api/grants?cursor={new string('A', 8000)}", Token);

        await IsProblemAsync(answer, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task What_comes_under_a_removed_servers_name_inherits_no_grant()
    {
        using var added = await PostAsync("""{"name":"wiki","url":"http://127.0.0.2:7000/mcp"}""");
        var wiki = (await MakeGrantsAsync(1, "wiki")).Single();
        var notes = (await MakeGrantsAsync(1)).Single();

        using var removed = await SendAsync(HttpMethod.Delete, "/api/servers/wiki", Token);

        Assert.NotNull((await server.Get<GrantBook>().FindAsync(TenantId.Default, wiki.Id, default))!.RevokedAt);
        Assert.Null((await server.Get<GrantBook>().FindAsync(TenantId.Default, notes.Id, default))!.RevokedAt);
    }

    [Fact]
    public async Task What_was_agreed_to_of_a_removed_server_is_new_again_under_its_name()
    {
        using var added = await PostAsync("""{"name":"wiki","url":"http://127.0.0.2:7000/mcp"}""");
        var agreed = (await MakeGrantsAsync(1, "wiki")).Single() with { Installation = new("copy") };
        var offers = server.Get<Offers>();
        await server.Db.WriteAsync(unit => Offers.KeepAsync(unit, agreed, [new("look", "sha-256:one", true)]));
        Assert.NotNull(await offers.LastAsync(TenantId.Default, new("copy"), agreed.Resource, default));

        using var removed = await SendAsync(HttpMethod.Delete, "/api/servers/wiki", Token);

        Assert.Null(await offers.LastAsync(TenantId.Default, new("copy"), agreed.Resource, default));
    }

    [Fact]
    public async Task A_server_goes_after_its_grants_so_that_a_kill_between_leaves_none_alive()
    {
        using var added = await PostAsync("""{"name":"wiki","url":"http://127.0.0.2:7000/mcp"}""");
        await MakeGrantsAsync(1, "wiki");
        var told = new List<string>();
        server.Get<Changes>().Subscribe(
            change => told.AddRange(change.Kind is "grant" or "server" ? [change.Kind] : []));

        using var removed = await SendAsync(HttpMethod.Delete, "/api/servers/wiki", Token);

        Assert.Equal(["grant", "server"], told);
    }

    [Fact]
    public async Task What_a_cut_off_removal_left_behind_is_ended_before_the_name_is_used_again()
    {
        var left = (await MakeGrantsAsync(1, "wiki")).Single();

        using var added = await PostAsync("""{"name":"wiki","url":"http://127.0.0.2:7000/mcp"}""");

        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        Assert.NotNull((await server.Get<GrantBook>().FindAsync(TenantId.Default, left.Id, default))!.RevokedAt);
    }

    [Fact]
    public async Task What_comes_under_a_removed_servers_name_is_not_judged_by_its_tools()
    {
        var book = server.Get<ServerBook>();
        using var added = await PostAsync("""{"name":"wiki","url":"http://127.0.0.2:7000/mcp"}""");
        var before = book.Find(TenantId.Default, "wiki")!;
        await book.KeepCatalogueAsync(before, Catalogue("one"));
        Assert.NotNull(book.Catalogue(before));

        using var removed = await SendAsync(HttpMethod.Delete, "/api/servers/wiki", Token);
        await book.KeepCatalogueAsync(before, Catalogue("asked before, answered after the removal"));
        using var again = await PostAsync("""{"name":"wiki","url":"http://127.0.0.2:7001/mcp"}""");
        Assert.Null(book.Catalogue(book.Find(TenantId.Default, "wiki")!));
        await book.KeepCatalogueAsync(before, Catalogue("answered later still"));

        await book.LoadAsync(default);
        Assert.Null(book.Catalogue(book.Find(TenantId.Default, "wiki")!));

        ToolCatalogue Catalogue(string hash) =>
            new([new("purge", null, null, Risk.Read, hash)], server.Clock.GetUtcNow());
    }

    [Fact]
    public async Task A_failure_is_told_in_the_form_of_the_API_also_when_it_is_ours()
    {
        await server.Db.WriteAsync(async unit => await unit.RunAsync($"alter table grants rename to away"));

        using var answer = await SendAsync(HttpMethod.Get, "/api/grants", Token);

        await IsProblemAsync(answer, HttpStatusCode.InternalServerError);
    }

    [Fact]
    public async Task A_revoked_grant_is_over_at_once_and_only_once()
    {
        var grant = (await MakeGrantsAsync(1)).Single();

        using var first = await SendAsync(HttpMethod.Delete, $"/api/grants/{grant.Id}", Token);
        using var second = await SendAsync(HttpMethod.Delete, $"/api/grants/{grant.Id}", Token);

        var ended = JsonDocument.Parse(await first.Content.ReadAsStringAsync()).RootElement;
        Assert.True(ended.GetProperty("revoked").GetBoolean());
        Assert.InRange(ended.GetProperty("ms").GetDouble(), 0, 30_000);
        var again = JsonDocument.Parse(await second.Content.ReadAsStringAsync()).RootElement;
        Assert.False(again.GetProperty("revoked").GetBoolean());
        Assert.NotNull((await server.Get<GrantBook>().FindAsync(TenantId.Default, grant.Id, default))!.RevokedAt);
        Assert.Empty((await JsonAsync("/api/grants")).GetProperty("grants").EnumerateArray());
        Assert.Single(await KindsAsync(kind => kind is AuditKinds.GrantRevoked));
    }

    [Theory]
    [InlineData("gr_00000000000000000000000000000000")]
    [InlineData("gr_")]
    [InlineData("'; drop table grants; --")]
    public async Task A_grant_that_is_not_there_is_a_problem_that_says_where_to_look(string id)
    {
        using var answer = await SendAsync(HttpMethod.Delete, $"/api/grants/{Uri.EscapeDataString(id)}", Token);

        Assert.Contains("postern grant list", await IsProblemAsync(answer, HttpStatusCode.NotFound));
    }

    [Fact]
    public async Task An_entry_is_given_byte_for_byte_and_names_who_is_known()
    {
        var grant = (await MakeGrantsAsync(1)).Single();
        await server.Get<GrantBook>().RevokeAsync(grant, new()
        {
            Tenant = TenantId.Default,
            Kind = AuditKinds.GrantRevoked,
            User = grant.Subject,
            Reason = "sagt »genug«",
        });

        var entries = (await JsonAsync("/api/audit")).GetProperty("entries").EnumerateArray().ToList();

        foreach (var entry in entries)
        {
            var record = Encoding.UTF8.GetBytes(entry.GetProperty("record").GetRawText());
            Assert.Equal(
                Text(entry, "leaf"),
                "sha-256:" + System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData([0, .. record])));
        }

        Assert.Contains(
            entries,
            entry => Text(entry, "email") is "ada@example.test" && Text(entry, "subject") == grant.Subject.Value);
    }

    [Fact]
    public async Task Reading_the_log_is_in_the_log_before_it_is_read_once_a_minute()
    {
        var first = await JsonAsync("/api/audit");
        await JsonAsync("/api/audit?limit=1");
        Assert.Contains(
            first.GetProperty("entries").EnumerateArray(),
            entry => Text(entry.GetProperty("record"), "kind") is AuditKinds.AdminRead);
        Assert.Single(await KindsAsync(kind => kind is AuditKinds.AdminRead));

        server.Clock.Advance(TimeSpan.FromMinutes(1));
        await JsonAsync("/api/audit");
        Assert.Equal(2, (await KindsAsync(kind => kind is AuditKinds.AdminRead)).Count);
    }

    [Fact]
    public async Task The_log_is_read_from_after_an_entry_to_the_last()
    {
        await MakeGrantsAsync(1);
        var all = await JsonAsync("/api/audit");
        var last = all.GetProperty("last").GetInt64();

        var rest = await JsonAsync($"/api/audit?after={last - 1}");

        Assert.Equal(last, rest.GetProperty("entries")[0].GetProperty("seq").GetInt64());
        Assert.Empty((await JsonAsync($"/api/audit?after={long.MaxValue}")).GetProperty("entries").EnumerateArray());
    }

    [Fact]
    public async Task A_lost_key_is_replaced_by_the_administrator_and_the_log_says_so()
    {
        var before = server.Get<SigningKeys>().Current(TenantId.Default).Id;
        using var later = await PostAsync("""{"now":false}""", path: "/api/keys");
        Assert.Equal(
            (HttpStatusCode.Created, before),
            (later.StatusCode, server.Get<SigningKeys>().Current(TenantId.Default).Id));

        using var now = await PostAsync("""{"now":true}""", path: "/api/keys");

        var made = JsonDocument.Parse(await now.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(Text(made, "id"), Assert.Single(server.Get<SigningKeys>().Published(TenantId.Default)).Id);
        Assert.Equal(2, (await KindsAsync(kind => kind is AuditKinds.KeysRotated)).Count);
        using var vague = await PostAsync("{}", path: "/api/keys");
        await IsProblemAsync(vague, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task The_status_says_what_runs_here()
    {
        var status = await JsonAsync("/api/status");

        Assert.Equal(
            (server.Issuer, "sqlite", 2),
            (Text(status, "issuer"), Text(status, "database"), status.GetProperty("servers").GetInt32()));
    }

    // Another server over the same data folder, as the next start finds it.
    private WebApplication BuildBeside() => Program.Build(
        [
            "--data", server.Folder,
            "--database", $"sqlite:{server.Folder}/beside.db",
            "--listen", "http://127.0.0.1:7400",
        ]);

    private async Task<List<Grant>> MakeGrantsAsync(int count, string at = "notes")
    {
        var ada = (await server.Get<UserStore>().FindByEmailAsync(TenantId.Default, "ada@example.test", default))!;
        var made = new List<Grant>();
        for (var i = 0; i < count; i++)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(1));
            var now = server.Clock.GetUtcNow();
            made.Add(new()
            {
                Id = GrantId.New(now, server.Get<RandomNumberGenerator>()),
                Tenant = TenantId.Default,
                Subject = ada.Id,
                IsOwn = false,
                Client = new("c_test"),
                ClientName = "Test",
                Resource = Resource.TryParse($"{server.Issuer}/mcp/{at}", out var resource)
                    ? resource
                    : throw new InvalidOperationException(),
                Scopes = Scopes.Of(Scopes.Read),
                CreatedAt = now,
                ExpiresAt = now.AddDays(1),
            });
            await server.Db.WriteAsync(async unit => await GrantBook.AddAsync(unit, made[^1]));
        }

        return made;
    }

    private async Task<List<string>> KindsAsync(Func<string, bool> wanted)
    {
        var rows = await server.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
        return [.. rows.Select(row => row.Kind).Where(wanted)];
    }

    private async Task<JsonElement> JsonAsync(string path)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, Token);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode is HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task<HttpResponseMessage> PostAsync(
        string body, string type = "application/json", string path = "/api/servers")
    {
        using var content = new StringContent(body, Encoding.UTF8, type);
        return await SendAsync(HttpMethod.Post, path, Token, content);
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? token, HttpContent? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return await server.Http.SendAsync(request);
    }

    private static async Task<string> IsProblemAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{answer.StatusCode} {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        return Text(problem, "detail")!;
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetString() : null;
}
