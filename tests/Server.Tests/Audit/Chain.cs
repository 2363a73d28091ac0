using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Postern.Audit;

namespace Postern.Tests.Audit;

/// <summary>Verifies the log as a stranger would who has read its description and none of its code.</summary>
internal static class Chain
{
    /// <summary>Reads all entries, checks every link, and answers the records.</summary>
    public static async Task<List<JsonElement>> VerifiedAsync(TestServer server)
    {
        // The end first: what is written from here on is not looked at.
        var head = (await server.Db.FirstAsync(
            $"select seq, leaf from audit_heads where tenant = {"default"}",
            row => Tuple.Create(row.GetInt64(0), row.GetFieldValue<byte[]>(1)),
            default))!;
        var (log, rows) = (server.Get<AuditLog>(), new List<AuditRow>());
        while (rows.Count <= head.Item1)
        {
            var limit = (int)Math.Min(1000, head.Item1 + 1 - rows.Count);
            var page = await log.AfterAsync(TenantId.Default, rows.Count - 1, limit, default);
            Assert.NotEmpty(page);
            rows.AddRange(page);
        }

        var previous = new byte[32];
        var records = new List<JsonElement>();
        foreach (var (at, row) in rows.Index())
        {
            var record = JsonElement.Parse(row.Record);
            Assert.Equal(at, row.Seq);
            Assert.Equal(at, record.GetProperty("seq").GetInt64());
            Assert.Equal("sha-256:" + Base64Url.EncodeToString(previous), record.GetProperty("prev").GetString());
            Assert.Equal(Canonical(record), row.Record);
            previous = SHA256.HashData([0, .. Encoding.UTF8.GetBytes(row.Record)]);
            Assert.Equal(previous, row.Leaf);
            records.Add(record);
        }

        Assert.Equal(head.Item2, previous);
        return records;
    }

    /// <summary>RFC 8785 for objects of strings and whole numbers.</summary>
    public static string Canonical(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(',', value.EnumerateObject()
            .OrderBy(member => member.Name, StringComparer.Ordinal)
            .Select(member => $"{Text(member.Name)}:{Canonical(member.Value)}")) + "}",
        JsonValueKind.String => Text(value.GetString()!),
        JsonValueKind.Number => value.GetInt64().ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => throw new InvalidOperationException($"An entry holds {value.ValueKind}."),
    };

    private static string Text(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\b' => "\\b",
                '\f' => "\\f",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                < ' ' => $"\\u{(int)c:x4}",
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }
}
