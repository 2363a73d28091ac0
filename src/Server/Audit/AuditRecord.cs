using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace Postern.Audit;

/// <summary>
/// An entry as it will stand in the log: canonical JSON but for its place in the chain, which is known only when its
/// transaction commits. The members around <c>prev</c> and <c>seq</c> are rendered beforehand, outside the writer.
/// </summary>
internal sealed class AuditRecord
{
    private readonly byte[] head;
    private readonly byte[] tail;

    public AuditRecord(AuditEntry entry, AuditSubject? subject, Guid id, DateTimeOffset now)
    {
        (Entry, Subject, Id, At) = (entry, subject, id.ToString(), now);
        head = Head(entry, subject, Id);
        tail = Tail(entry, now);
    }

    public AuditEntry Entry { get; }

    public AuditSubject? Subject { get; }

    public string Id { get; }

    public DateTimeOffset At { get; }

    /// <summary>The record at its place, and its leaf hash, <c>SHA-256(0x00 || record)</c> (RFC 6962 §2.1).</summary>
    public (ReadOnlyMemory<byte> Record, byte[] Leaf) Place(long seq, ReadOnlySpan<byte> previousLeaf)
    {
        Span<byte> middle = stackalloc byte[128];
        Utf8.TryWrite(
            middle,
            CultureInfo.InvariantCulture,
            $",\"prev\":\"sha-256:{Base64Url.EncodeToString(previousLeaf)}\",\"seq\":{seq},",
            out var length);
        var leafInput = new byte[1 + head.Length + length + tail.Length];
        var record = leafInput.AsMemory(1);
        head.CopyTo(record);
        middle[..length].CopyTo(record.Span[head.Length..]);
        tail.CopyTo(record[(head.Length + length)..]);
        return (record, SHA256.HashData(leafInput));
    }

    private static byte[] Head(AuditEntry entry, AuditSubject? subject, string id)
    {
        var json = new CanonicalJson();
        json.Begin();
        json.Text("action", entry.Action);
        if (entry.Client is not null || entry.Agent is not null || subject is not null)
        {
            json.Begin("actor");
            json.Text("agent", entry.Agent);
            json.Text("chain", Chain(entry.Grant));
            json.Text("client", entry.Client?.Value);
            json.Text("user", subject?.Commitment);
            json.End();
        }

        json.Text("argDigest", entry.ArgumentsDigest);
        if (entry.Effect is not null || entry.Grant is not null || entry.Reason is not null)
        {
            json.Begin("decision");
            json.Text("effect", entry.Effect);
            json.Text("grantHash", entry.Grant?.Hash);
            json.Text("grantId", entry.Grant?.Id.Value);
            json.Text("reason", entry.Reason);
            json.End();
        }

        json.Text("id", id);
        json.Text("intentRef", entry.IntentRef);
        json.Text("kind", entry.Kind);
        if (entry.Network is not null)
        {
            json.Begin("net");
            json.Text("ipPrefix", entry.Network);
            json.End();
        }

        if (entry.Resource is not null || entry.Tool is not null)
        {
            json.Begin("object");
            json.Text("resource", entry.Resource);
            json.Text("tool", entry.Tool);
            json.Text("toolHash", entry.ToolHash);
            json.End();
        }

        if (entry.Status is not null)
        {
            json.Begin("outcome");
            if (entry.DurationMs is { } duration)
            {
                json.Number("durationMs", duration);
            }

            json.Text("status", entry.Status);
            json.End();
        }

        return json.Written.ToArray();
    }

    // Who acts, and behind that one those who passed the grant on.
    private static string? Chain(Grant? grant) =>
        grant is { Actors: { Count: > 0 } actors } ? string.Join(' ', actors) : null;

    // A refused call may have anything in its place.
    private static string Code(string currency) =>
        currency is { Length: 3 } && currency.All(char.IsAsciiLetterUpper) ? currency : "?";

    private static byte[] Tail(AuditEntry entry, DateTimeOffset now)
    {
        var json = new CanonicalJson();
        json.Begin();
        if (entry.Charge is { } charge)
        {
            json.Begin("spend");
            json.Text("amount", Detail.Plain(charge.Amount));
            json.Text("currency", Code(charge.Currency));
            json.End();
        }

        json.Text("tenant", entry.Tenant.Value);
        json.Text("time", now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        json.Text("tokenRef", entry.TokenId is { } token
            ? "sha-256:" + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(token)))
            : null);
        if (entry.TraceParent is not null)
        {
            json.Begin("trace");
            json.Text("traceparent", entry.TraceParent);
            json.End();
        }

        json.Number("v", 1);
        json.End();
        return json.Written[1..].ToArray(); // without the brace that the head has opened
    }
}

/// <summary>
/// A person as the log knows one: a pseudonym for the index outside, a commitment inside the records.
/// </summary>
internal sealed record AuditSubject(string Pseudonym, string Commitment);
