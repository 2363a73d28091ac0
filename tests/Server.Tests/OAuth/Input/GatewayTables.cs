using System.Text;

namespace Postern.Tests.OAuth.Input;

/// <summary>The entries of the MCP servers, and what everybody may fetch.</summary>
internal static partial class Tables
{
    private const string SessionId = "Mcp-Session-Id", Metadata = "/.well-known/oauth-protected-resource/mcp/{server}";

    private static readonly (string Name, Func<InputTown, Task<Attempt>> Make)[] Entries =
    [
        ("GET /.well-known/oauth-authorization-server",
            town => Task.FromResult(Published(town, "/.well-known/oauth-authorization-server/t/{tenant}"))),
        ("GET /.well-known/openid-configuration",
            town => Task.FromResult(Published(town, "/t/{tenant}/.well-known/openid-configuration"))),
        ("GET /jwks", town => Task.FromResult(Published(town, "/t/{tenant}/jwks"))),
        ("GET /.well-known/oauth-protected-resource/mcp/{server}",
            town => Task.FromResult(Described(town, HttpMethod.Get))),
        ("OPTIONS /.well-known/oauth-protected-resource/mcp/{server}",
            town => Task.FromResult(Described(town, HttpMethod.Options))),
        ("POST /mcp/{server}", EnterAsync),
        ("GET /mcp/{server}", town => InSessionAsync(town, HttpMethod.Get)),
        ("DELETE /mcp/{server}", town => InSessionAsync(town, HttpMethod.Delete)),
        ("OPTIONS /mcp/{server}", town => Task.FromResult(Preflight(town))),
        ("GET /assets/{file}", AssetAsync),
    ];

    // Which tenant is meant is read of every request; here it is all that is.
    private static Attempt Published(InputTown town, string path) => new(
        [("{tenant}", "acme"), ("Host", town.Acme.Tenant.Authority)],
        async fields => InputTown.Word(await town.SendAsync(HttpMethod.Get, path, fields)))
    {
        Never = [("Host", Wrong.Missing)],
        Others = new()
        {
            [("{tenant}", Wrong.OtherTenant)] = Be("named"),
            [("Host", Wrong.OtherTenant)] = Be(town.Named.Tenant.Authority),
            [("Host", Wrong.OtherPurpose)] = Be("elsewhere.example"),
        },
    };

    private static Attempt Described(InputTown town, HttpMethod method) => new(
        [("{server}", "notes")],
        async fields => InputTown.Word(await town.SendAsync(method, Metadata, fields)))
    {
        Others = new() { [("{server}", Wrong.OtherTenant)] = Be("elsewhere") },
    };

    private static async Task<Attempt> EnterAsync(InputTown town)
    {
        var token = await TokenForNotesAsync(town);
        return new(
            [("{server}", "notes"), (Basic, $"Bearer {token}")],
            fields => town.CallAsync(
                "/mcp/{server}?" + InputTown.Encode([.. fields.Where(field => field.Name is "access_token")]),
                [.. fields.Where(field => field.Name is not "access_token")]))
        {
            // Addresses are logged (OAuth 2.1 §5.1.2). A session is of the older revisions, and need not be.
            Left =
            [
                ("access_token", token), (Asking, town.Server.Issuer), ("MCP-Protocol-Version", "2025-06-18"),
                (SessionId, await SessionAsync(town, token)),
            ],
            Others = new(OfEntry(town, token))
            {
                [("MCP-Protocol-Version", Wrong.OtherPurpose)] = Be("2024-11-06"),
            },
        };
    }

    private static async Task<string> TokenForNotesAsync(InputTown town)
    {
        var web = App.Web(town.Server);
        var code = await CodeOfAsync(town.Ada, web, ("resource", $"{town.Server.Issuer}/mcp/notes"));
        return (await web.RedeemAsync(code, ("resource", null))).AccessToken;
    }

    private static Dictionary<(string, Wrong), Func<Task<string>>> OfEntry(InputTown town, string token) => new()
    {
        [("{server}", Wrong.OtherClient)] = Be("echo"),
        [("{server}", Wrong.OtherTenant)] = Be("elsewhere"),
        [(Basic, Wrong.Long)] = Be("Bearer " + new string('x', 17_000)),
        [(Basic, Wrong.Type)] = Be($"Basic {token}"),
        [(Basic, Wrong.Encoding)] = Be($"Bearer {Attempt.NoText}"),
        [(Basic, Wrong.OtherTenant)] = async () => "Bearer " + (await town.TokensOfAcmeAsync()).AccessToken,
        [(Basic, Wrong.OtherPurpose)] = async () =>
            "Bearer " + (await App.Web(town.Server).LetInAsync(town.Ada)).AccessToken,
        [(Basic, Wrong.Expired)] = () => LaterAsync(
            town, TimeSpan.FromMinutes(11), Task.FromResult($"Bearer {token}")),
        [(Asking, Wrong.OtherTenant)] = Be("https://named.example"),
        [(Asking, Wrong.OtherPurpose)] = Be("null"),
        [(SessionId, Wrong.OtherClient)] = async () => await SessionAsync(town, await TokenForNotesAsync(town)),
        [(SessionId, Wrong.Expired)] = async () =>
        {
            var session = await SessionAsync(town, token);
            await EndSessionAsync(town, token, session);
            return session;
        },
    };

    private static async Task<string> SessionAsync(InputTown town, string token)
    {
        const string begin = """
            {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},
            "clientInfo":{"name":"tables","version":"1"}}}
            """;
        var reply = await town.SendAsync(
            HttpMethod.Post,
            "/mcp/notes",
            [(Basic, $"Bearer {token}"), ("Accept", "application/json, text/event-stream")],
            _ => new StringContent(begin, Encoding.UTF8, "application/json"));
        return reply.Headers.GetValues(SessionId).Single();
    }

    private static Task EndSessionAsync(InputTown town, string token, string session) => town.SendAsync(
        HttpMethod.Delete, "/mcp/notes", [(Basic, $"Bearer {token}"), (SessionId, session)]);

    private static async Task<Attempt> InSessionAsync(InputTown town, HttpMethod method)
    {
        var token = await TokenForNotesAsync(town);
        return new(
            [("{server}", "notes"), (Basic, $"Bearer {token}"), (SessionId, await SessionAsync(town, token))],
            async fields => InputTown.Word(await town.SendAsync(
                method, "/mcp/{server}", [.. fields, ("Accept", "text/event-stream")])))
        {
            Left = [(Asking, town.Server.Issuer)],
            Others = OfEntry(town, token),
        };
    }

    // What a browser asks before it lets a page ask.
    private static Attempt Preflight(InputTown town) => new(
        [("{server}", "notes"), (Asking, town.Server.Issuer), ("Access-Control-Request-Headers", "authorization")],
        async fields => InputTown.Word(await town.SendAsync(HttpMethod.Options, "/mcp/{server}", fields)))
    {
        Others = new()
        {
            [(Asking, Wrong.OtherTenant)] = Be("https://named.example"),
            [(Asking, Wrong.OtherPurpose)] = Be("null"),
            [("Access-Control-Request-Headers", Wrong.OtherPurpose)] = Be("cookie"),
        },
    };

    private static async Task<Attempt> AssetAsync(InputTown town)
    {
        var page = await Seen.ReadAsync(town.Ada, "/signin");
        var style = page.QuerySelector("link[rel=stylesheet]")!.GetAttribute("href")!.Split('/')[^1];
        return new(
            [("{file}", style)],
            async fields => InputTown.Word(await town.SendAsync(HttpMethod.Get, "/assets/{file}", fields)));
    }
}
