using System.Net;
using System.Security.Cryptography;
using System.Text;
using Postern.Audit;
using Postern.Identity.Users;

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

    private static string Reference(Reply reply) => "sha-256:" + System.Buffers.Text.Base64Url.EncodeToString(
        SHA256.HashData(Encoding.UTF8.GetBytes(reply.Claims.GetProperty("jti").GetString()!)));
}
