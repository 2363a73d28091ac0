namespace Postern.Tests.OAuth.Input;

/// <summary>MCP servers, as an operator adds, guards and describes them.</summary>
internal static partial class Tables
{
    private static readonly (string Name, string? Value)[] Guarding =
    [
        ("require_dpop", "true"),
        ("require.acr", """["phr"]"""),
        ("require.max_age", "\"15m\""),
        ("require.read", """{"max_age":"15m"}"""),
        ("require.change", """{"max_age":"15m"}"""),
        ("require.destroy", """{"max_age":"15m"}"""),
        ("require.tools", """[{"name":"pay","max_age":"5m"}]"""),
        ("transaction_tokens", "true"),
    ];

    private const string Pays = """[{"name":"pay","spends":{"amount":"amount","currency":"EUR"}}]""";

    private static Task<Attempt> AddServerAsync(InputTown town)
    {
        var attempt = ByAdmin(
            town,
            HttpMethod.Post,
            "/api/servers",
            members: true,
            [
                ("name", "\"new\""),
                ("url", "\"http://127.0.0.1:9/mcp\""),
                ("title", "\"New\""),
                ("tools", """{"pay":"change"}"""),
                .. Guarding,
                ("token.lifetime", "\"5m\""),
                ("token.format", "\"opaque\""),
                ("token.status_list", "false"),
                ("declares", Pays),
            ]);
        attempt.Others[("name", Wrong.Replayed)] = Be("\"echo\"");
        attempt.Others[("url", Wrong.OtherPurpose)] = Be("\"http://169.254.169.254/\"");
        return Task.FromResult(Undone(attempt, town, HttpMethod.Post, "/api/servers"));
    }

    private static Attempt OfServer(
        InputTown town, HttpMethod method, string more, string name, params (string Name, string? Value)[] fields)
    {
        var attempt = ByAdmin(
            town, method, "/api/servers/{name}" + more, fields.Length > 0, [("{name}", name), .. fields]);
        attempt.Others[("{name}", Wrong.OtherTenant)] = Be("elsewhere");
        // What the configuration names is changed there.
        attempt.Others[("{name}", Wrong.OtherPurpose)] = Be("echo");
        return attempt;
    }

    private static Task<Attempt> ProtectAsync(InputTown town) =>
        Task.FromResult(OfServer(town, HttpMethod.Put, "/protection", InputTown.Added, Guarding));

    private static Task<Attempt> DeclareAsync(InputTown town) =>
        Task.FromResult(OfServer(town, HttpMethod.Put, "/declarations", InputTown.Added, ("declares", Pays)));

    private static Task<Attempt> DeclareToolAsync(InputTown town)
    {
        (string Name, string? Value)[] members =
        [
            ("name", "\"pay\""),
            ("spends.amount", "\"amount\""),
            ("spends.currency", "\"EUR\""),
            ("spends.merchant", "\"to\""),
            ("data.datatypes", """["mail"]"""),
            ("data.labels", """["private"]"""),
            ("data.row_filter_ref", "\"own\""),
            ("calls", """[{"upstream":"github","method":"GET","path":"/repos"}]"""),
        ];
        return Task.FromResult(new Attempt(members, async sent =>
        {
            (string, string?)[] fields =
            [
                ("{name}", InputTown.Added), (Basic, town.AdminToken), ("declares", $"[{JsonText.Text(sent)}]"),
            ];
            var (word, _) = await town.TryApiAsync(
                HttpMethod.Put, "/api/servers/{name}/declarations", fields, hasBody: true);
            return word;
        })
        {
            Others = new(JsonText.Wrongs(members.Select(member => member.Name))),
        });
    }

    private static async Task<Attempt> RemoveServerAsync(InputTown town)
    {
        var name = NewName();
        await town.AddServerAsync("", name);
        var attempt = OfServer(town, HttpMethod.Delete, "", name);
        attempt.Others[("{name}", Wrong.Replayed)] = async () =>
        {
            var removed = NewName();
            await town.AddServerAsync("", removed);
            await town.AdministerAsync(HttpMethod.Delete, "/api/servers/" + removed);
            return removed;
        };
        return attempt;
    }

    private static Attempt OfCommand(InputTown town, HttpMethod method, string more)
    {
        var attempt = OfServer(town, method, more, "local");
        attempt.Others[("{name}", Wrong.OtherPurpose)] = Be("echo");
        return attempt;
    }
}
