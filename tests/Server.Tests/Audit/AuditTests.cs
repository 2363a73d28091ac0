using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Postern.Audit;
using Postern.Identity.Users;
using Postern.Tests.Gateway;

namespace Postern.Tests.Audit;

/// <summary>The log: one chain whoever writes, with what it records or not at all, and nobody's name in it.</summary>
public sealed class AuditTests
{
    [Theory, Rfc(8785, "3.2.2.2")]
    [InlineData("plain", "\"plain\"")]
    [InlineData("\u20ac$\u000f\nA'B\"\\\\\"/", "\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"")]
    [InlineData("\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"")]
    [InlineData("\0\u001f\u007f\u0080", "\"\\u0000\\u001f\u007f\u0080\"")]
    [InlineData("</script>\u2028\u2029", "\"</script>\u2028\u2029\"")]
    [InlineData("öﬃ😂דּ", "\"öﬃ😂דּ\"")]
    public void A_text_has_one_canonical_form(string text, string canonical)
    {
        var json = new CanonicalJson();
        json.Begin();
        json.Text("a", text);
        json.End();

        Assert.Equal($"{{\"a\":{canonical}}}", Encoding.UTF8.GetString(json.Written));
    }

    [Fact]
    public void Members_out_of_order_are_a_bug_that_shows_at_once()
    {
        var json = new CanonicalJson();
        json.Begin();
        json.Text("b", "1");

        Assert.Throws<InvalidOperationException>(() => json.Text("a", "2"));
        Assert.Throws<InvalidOperationException>(() => json.Text("b", "2"));
    }

    [Theory, OnBoth]
    public async Task The_chain_holds_when_many_write_at_once(On on)
    {
        await using var one = await TestServer.StartAsync(App.Town, on);
        await using var two = on is On.Postgres ? await TestServer.StartAsync(App.Town, like: one) : null;
        using var ada = new Person(one);
        var first = await App.Native(one).LetInAsync(ada);

        var replies = await Task.WhenAll(Enumerable.Range(0, 200).Select(i =>
        {
            var node = i % 2 is 0 ? one : two ?? one;
            return i % 5 is 0 ? App.Native(node).RefreshAsync(first.RefreshToken) : App.Bench(node).AsItselfAsync();
        }));

        Assert.All(replies, reply => Assert.Equal(HttpStatusCode.OK, reply.Status));
        var references = (await Chain.VerifiedAsync(one))
            .Where(record => record.TryGetProperty("tokenRef", out _))
            .Select(record => record.GetProperty("tokenRef").GetString())
            .ToHashSet();
        Assert.All(replies, reply => Assert.Contains(Reference(reply), references));
    }

    [Fact]
    public async Task Who_learned_of_a_token_is_in_the_log_and_who_guessed_is_not()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        var (bench, web) = (App.Bench(server), App.Web(server));
        var reply = await bench.AsItselfAsync();
        await web.IntrospectAsync(reply.AccessToken);
        await bench.IntrospectAsync("guessed");

        await bench.IntrospectAsync(reply.AccessToken);

        await Eventually.TrueAsync(async () => (await AskedAsync()).Count > 0);
        var entry = Assert.Single(await AskedAsync());
        Assert.Equal("bench", entry.GetProperty("actor").GetProperty("client").GetString());
        Assert.Equal(Reference(reply), entry.GetProperty("tokenRef").GetString());

        async Task<List<JsonElement>> AskedAsync() =>
            [.. (await Chain.VerifiedAsync(server)).Where(IsOf(AuditKinds.TokenIntrospected))];
    }

    [Theory, OnBoth]
    public async Task What_fails_leaves_no_entry(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        var before = (await Chain.VerifiedAsync(server)).Count;

        await Assert.ThrowsAsync<InvalidOperationException>(() => server.Db.WriteAsync(unit =>
        {
            server.Get<AuditLog>().Write(unit, new() { Tenant = TenantId.Default, Kind = AuditKinds.AdminChanged });
            throw new InvalidOperationException("half done");
        }));

        Assert.Equal(before, (await Chain.VerifiedAsync(server)).Count);
    }

    [Theory, OnBoth]
    public async Task What_cannot_be_recorded_does_not_happen(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        var question = await ada.AskedAsync(App.Native(server).Authorize());
        await server.Db.WriteAsync(async unit => await unit.RunAsync($"alter table audit_entries rename to away"));

        var token = await App.Bench(server).AsItselfAsync();
        using var allowed = await ada.PostAsync(question, "allow");
        await server.Db.WriteAsync(async unit => await unit.RunAsync($"alter table away rename to audit_entries"));

        Assert.Equal(HttpStatusCode.InternalServerError, token.Status);
        Assert.Null(token.Member("access_token"));
        Assert.Equal(HttpStatusCode.InternalServerError, allowed.StatusCode);
        Assert.Empty(await server.Db.AllAsync($"select id from grants", row => row.GetString(0), default));
        await App.Bench(server).AsItselfAsync();
        Assert.Contains(await Chain.VerifiedAsync(server), entry => entry.TryGetProperty("tokenRef", out _));
    }

    [Fact]
    public async Task The_entry_of_a_call_has_the_members_and_spellings_that_are_published()
    {
        const string digest = "sha-256:[A-Za-z0-9_-]{43}", grant = "gr_[0-9a-f]{32}";
        await using var behind = await Behind.ModernAsync();
        await using var host = await GatewayHost.StartAsync($"  - {{ name: crm, http: \"{behind.Url}\" }}");
        using var ran = await host.CallAsync("crm", await host.TokenAsync("crm"), "echo");

        var rows = await host.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
        var call = Assert.Single(rows, row => row.Kind is AuditKinds.ToolCallDecision);

        Assert.Matches(
            "^" + Regex.Replace(
                $$"""
                {"action":"tools/call",
                "actor":{"client":"app","user":"hmac-{{digest}}"},
                "decision":{"effect":"allow","grantHash":"{{digest}}","grantId":"{{grant}}"},
                "id":"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                "kind":"tool.call.decision",
                "net":{"ipPrefix":"127.0.0.0/24"},
                "object":{"resource":"{{host.Issuer}}/mcp/crm","tool":"echo","toolHash":"{{digest}}"},
                "prev":"{{digest}}",
                "seq":{{call.Seq}},
                "tenant":"default",
                "time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.]\d{3}Z",
                "tokenRef":"{{digest}}",
                "trace":{"traceparent":"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"},
                "v":1}
                """,
                @"\s",
                "") + "$",
            call.Record);
    }

    [Theory, OnBoth]
    public async Task A_person_stands_in_no_entry_and_can_be_forgotten(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        using var ada = new Person(server);
        var app = App.Web(server);
        var reply = await app.LetInAsync(ada);
        await app.RefreshAsync(reply.RefreshToken);
        await ada.DenyAsync(app.Authorize());
        await app.RevokeAsync(reply.RefreshToken);
        var user = (await server.Get<UserStore>().FindByEmailAsync(TenantId.Default, Person.Ada, default))!.Id;

        var before = await Chain.VerifiedAsync(server);
        Assert.All(before, record =>
        {
            Assert.DoesNotContain(user.Value, record.GetRawText(), StringComparison.Ordinal);
            Assert.DoesNotContain("ada@", record.GetRawText(), StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("127.0.0.1/32", record.GetRawText(), StringComparison.Ordinal);
        });
        Assert.Contains(before, record => record.GetProperty("kind").GetString() == AuditKinds.GrantRevoked);
        await server.Db.WriteAsync(
            async unit => await unit.RunAsync($"delete from audit_subjects where subject = {user.Value}"));

        Assert.Equal(before.Count, (await Chain.VerifiedAsync(server)).Count);
        var rows = await server.Get<AuditLog>().AfterAsync(TenantId.Default, -1, 1000, default);
        Assert.All(rows, row => Assert.NotEqual(user, row.Subject));
    }

    private static Func<JsonElement, bool> IsOf(string kind) =>
        record => record.GetProperty("kind").GetString() == kind;

    private static string Reference(Reply reply) => "sha-256:" + System.Buffers.Text.Base64Url.EncodeToString(
        SHA256.HashData(Encoding.UTF8.GetBytes(reply.Claims.GetProperty("jti").GetString()!)));
}
