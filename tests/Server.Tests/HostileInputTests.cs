using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Routing;
using Postern.Servers;

namespace Postern.Tests;

/// <summary>
/// What strangers and broken programs send, at every door there is: an answer that tells nothing of us, nothing kept,
/// nothing fetched.
/// </summary>
public sealed class HostileInputTests : IAsyncLifetime
{
    private const string Form = "application/x-www-form-urlencoded", Json = "application/json";

    // A longer body is sent only when the server asks for it.
    private const int MostSent = 4 * 1024;

    // What none of these answers may hold: our own insides.
    private static readonly string[] Insides = ["Exception", "   at ", "Postern.", "SQLite", "/tmp/"];

    private static readonly string[] Authorizations =
        ["Bearer", "Bearer a.b.c", $"Bearer {new string('x', 9000)}", "Basic %%%", "Basic OjpQ", "Negotiate \t"];

    private static readonly string[] RouteValues = ["notes", "%00", "..%2f..%2fetc", "%ff%fe", new('n', 3000)];

    private const string Users =
        $"users: [{{ email: {Person.Ada}, password: {Person.AdasPassword}, roles: [admin] }}]";

    private readonly TcpListener sink = new(IPAddress.Loopback, 0);
    private TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        sink.Start();
        server = await TestServer.StartAsync(Users);
        var notes = server.Get<ServerBook>().Find(TenantId.Default, "notes")!;
        await Eventually.TrueAsync(() => server.Get<ServerBook>().Catalogue(notes) is not null);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        sink.Dispose();
    }

    private string Sink => $"https://127.0.0.1:{((IPEndPoint)sink.LocalEndpoint).Port}/c.json";

    private IEnumerable<(string What, string? Type, byte[] Body)> Bodies =>
    [
        ("nothing", null, []),
        ("a form that is none", Form, Text("%%%=%zz&&&=&=&%")),
        ("everything twice", Form, Text(string.Join('&', Names.Select(name => $"{name}=a&{name}=b")))),
        ("NUL everywhere", Form, Text(string.Join('&', Names.Select(name => $"{name}=%00")))),
        ("a client of NUL", Form, Text("client_id=a%00&token=x&grant_type=refresh_token&refresh_token=x")),
        ("no Unicode", Form, Text(string.Join('&', Names.Select(name => $"{name}=%ff%fe%ed%a0%80")))),
        ("very many parameters", Form, Text(string.Join('&', Enumerable.Range(0, 5000).Select(i => $"p{i}={i}")))),
        ("a long parameter", Form, Text("token=" + new string('x', 200_000))),
        ("addresses of somebody else", Form, Text(
            $"client_id={Sink}&redirect_uri={Sink}&request_uri={Sink}&resource={Sink}"
            + "&grant_type=refresh_token&refresh_token=x")),
        ("another alphabet", Form + "; charset=utf-7", Text("token=+AGE-")),
        ("an alphabet that is none", Form + "; charset=nonsense", Text("token=a")),
        ("parts without an end", "multipart/form-data; boundary=x", Text(
            "--x\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n")),
        ("half of JSON", Json, Text("{\"jsonrpc\":")),
        ("a list", Json, Text("[]")),
        ("null", Json, Text("null")),
        ("a member twice", Json, Text("{\"name\":\"a\",\"name\":\"b\",\"redirect_uris\":[],\"redirect_uris\":[]}")),
        ("very deep", Json, Text(new string('[', 100_000))),
        ("half a surrogate pair", Json, Text(
            """
            {"jsonrpc":"2.0","id":1,"method":"\ud800","name":"\ud800","client_name":"\ud800","redirect_uris":["\ud800"]}
            """)),
        ("no UTF-8", Json, [(byte)'{', (byte)'"', 0xff, 0xfe, (byte)'"', (byte)':', (byte)'1', (byte)'}']),
        ("addresses to fetch", Json, Text(
            $$"""
            {"redirect_uris":["{{Sink}}"],"grant_types":[],"jwks_uri":"{{Sink}}","name":"a","url":"file:///etc/passwd"}
            """)),
        ("a page", "text/html", Text("<script>alert(1)</script>")),
        ("more than anybody reads", Form, new byte[5 << 20]),
        ("more JSON than anybody reads", Json, new byte[5 << 20]),
    ];

    private IEnumerable<string> Queries =>
    [
        "?transaction=x", "?transaction=a&transaction=b", "?transaction=%00", "?%ff=%fe&=&&%",
        "?x=" + new string('x', 9000),
        $"?client_id={Sink}&redirect_uri={Sink}&response_type=code",
        "?client_id=%00&redirect_uri=%0d%0aSet-Cookie:%20a=b&state=%0d%0a",
        "?cursor=%00&limit=-1&before=%ff&kind='%22;--",
    ];

    private static string[] Names =>
    [
        "client_id", "client_secret", "client_assertion", "grant_type", "code", "refresh_token", "token", "resource",
        "scope", "redirect_uri", "response_type", "state", "transaction", "form", "email", "password", "id", "tool",
        "until", "decision",
    ];

    [Fact]
    public async Task A_stranger_at_any_door_is_answered_and_nothing_is_kept_or_fetched()
    {
        var before = await RowsAsync();

        await SendAllAsync(_ => { });

        Assert.Equal(before, await RowsAsync());
        Assert.False(sink.Pending(), "something was fetched");
    }

    [Fact]
    public async Task Nothing_of_it_is_too_much_for_PostgreSQL()
    {
        await server.DisposeAsync();
        server = await TestServer.StartAsync(Users, On.Postgres);

        await SendAllAsync(_ => { });
    }

    [Fact]
    public async Task Whoever_may_come_in_is_answered_as_plainly()
    {
        using var ada = new Person(server);
        await ada.SignInAsync();
        var admin = await File.ReadAllTextAsync(Path.Combine(server.Folder, "admin.token"));

        await SendAllAsync(request =>
        {
            request.Headers.Add("Cookie", ada.Cookies.GetCookieHeader(new(server.Issuer)));
            request.Headers.Add("Origin", server.Issuer);
            request.Headers.Authorization ??= new("Bearer", admin.Trim());
        });

        Assert.False(sink.Pending(), "something was fetched");
    }

    private async Task SendAllAsync(Action<HttpRequestMessage> dress)
    {
        foreach (var (verb, path) in Doors())
        {
            foreach (var (what, type, body) in Bodies)
            {
                await SendAsync(verb, path, what, dress, type, body);
            }

            foreach (var query in Queries)
            {
                await SendAsync(verb, path + query, query, dress);
            }

            foreach (var authorization in Authorizations)
            {
                await SendAsync(verb, path, authorization, request =>
                {
                    request.Headers.TryAddWithoutValidation("Authorization", authorization);
                    request.Headers.TryAddWithoutValidation("Cookie", "postern_session=%00; __Host-x=\"; =; a");
                });
            }
        }

        Assert.DoesNotContain(server.Log.All, line => line.StartsWith("Error", StringComparison.Ordinal)
            || line.Contains("Exception", StringComparison.Ordinal));
    }

    // Every route with its verbs, and what stands in its braces made hostile in turn.
    private IEnumerable<(string Verb, string Path)> Doors() =>
        from endpoint in server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let verbs = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods
        from verb in verbs is [_, ..] ? verbs : ["GET", "POST", "PUT"]
        let pattern = endpoint.RoutePattern.RawText!
        from value in pattern.Contains('{', StringComparison.Ordinal) ? RouteValues : [""]
        select (verb, System.Text.RegularExpressions.Regex.Replace("/" + pattern.TrimStart('/'), @"\{[^}]*\}", value));

    private async Task SendAsync(
        string verb,
        string path,
        string what,
        Action<HttpRequestMessage> dress,
        string? type = null,
        byte[]? body = null)
    {
        using var request = new HttpRequestMessage(new(verb), new Uri(server.Issuer + path, UriKind.Absolute));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
            request.Headers.ExpectContinue = body.Length > MostSent;
        }

        dress(request);
        HttpResponseMessage answer;
        try
        {
            answer = await server.Http.SendAsync(request);
        }
        catch (HttpRequestException) when (body is { Length: > MostSent })
        {
            // Refused before it was sent to its end, as it should be.
            return;
        }

        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync();
            var of = $"{verb} {path[..Math.Min(path.Length, 80)]} with {what[..Math.Min(what.Length, 60)]}";
            // Whose address is asked for too often is told to wait.
            Assert.True(
                (int)answer.StatusCode < 500 || text.Contains("asked too often", StringComparison.Ordinal),
                $"{of}: {answer.StatusCode} {text}");
            Assert.All(
                Insides, inside => Assert.False(text.Contains(inside, StringComparison.Ordinal), $"{of}: {text}"));
        }
    }

    private async Task<string> RowsAsync()
    {
        var tables = await server.Db.AllAsync(
            $"select name from sqlite_master where type = {"table"} order by name", row => row.GetString(0), default);
        var counts = new StringBuilder();
        await using var reader = new Microsoft.Data.Sqlite.SqliteConnection(
            $"Data Source={server.Folder}/postern.db;Mode=ReadOnly;Pooling=False");
        await reader.OpenAsync();
        foreach (var table in tables)
        {
            await using var command = reader.CreateCommand();
            command.CommandText = $"select count(*) from \"{table}\"";
            counts.Append(CultureInfo.InvariantCulture, $"{table}: {await command.ExecuteScalarAsync()}\n");
        }

        return counts.ToString();
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
