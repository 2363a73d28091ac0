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
    /// <summary>Bytes that <c>prev</c> and <c>seq</c> may take.</summary>
    private const int Room = 96;

    // The byte that tells leaves from inner nodes, what comes before the place, room for it, and what comes after.
    private readonly byte[] leaf;
    private readonly int middle, tailLength;
    private int tail;

    public AuditRecord(AuditEntry entry, AuditSubject? subject, Guid id, DateTimeOffset now)
    {
        (Entry, Subject, Id, At) = (entry, subject, id.ToString(), now);
        var json = CanonicalJson.OfThread();
        json.Begin();
        WriteHead(json, entry, subject, Id);
        middle = 1 + json.Length;
        WriteTail(json, entry, now);
        json.End();
        var written = json.Written;
        tailLength = written.Length - middle + 1;
        leaf = new byte[1 + written.Length + Room];
        written[..(middle - 1)].CopyTo(leaf.AsSpan(1));
        tail = leaf.Length - tailLength;
        written[(middle - 1)..].CopyTo(leaf.AsSpan(tail));
    }

    public AuditEntry Entry { get; }

    public AuditSubject? Subject { get; }

    public string Id { get; }

    public DateTimeOffset At { get; }

    /// <summary>
    /// The record at its place, and its leaf hash, <c>SHA-256(0x00 || record)</c> (RFC 6962 §2.1). Good until it is put
    /// at another place.
    /// </summary>
    public (ReadOnlyMemory<byte> Record, byte[] Leaf) Place(long seq, ReadOnlySpan<byte> previousLeaf)
    {
        Span<byte> place = stackalloc byte[Room];
        var length = WritePlace(place, seq, previousLeaf);
        leaf.AsSpan(tail, tailLength).CopyTo(leaf.AsSpan(middle + length));
        tail = middle + length;
        place[..length].CopyTo(leaf.AsSpan(middle));
        var whole = leaf.AsMemory(0, tail + tailLength);
        return (whole[1..], SHA256.HashData(whole.Span));
    }

    private static int WritePlace(Span<byte> place, long seq, ReadOnlySpan<byte> previousLeaf)
    {
        var prev = ",\"prev\":\"sha-256:"u8;
        prev.CopyTo(place);
        var length = prev.Length + Base64Url.EncodeToUtf8(previousLeaf, place[prev.Length..]);
        Utf8.TryWrite(place[length..], CultureInfo.InvariantCulture, $"\",\"seq\":{seq}", out var number);
        return length + number;
    }

    private static void WriteHead(CanonicalJson json, AuditEntry entry, AuditSubject? subject, string id)
    {
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
    }

    // Who acts, and behind that one those who passed the grant on.
    private static string? Chain(Grant? grant) =>
        grant is { Actors: { Count: > 0 } actors } ? string.Join(' ', actors) : null;

    // A refused call may have anything in its place.
    private static string Code(string currency) =>
        currency is { Length: 3 } && currency.All(char.IsAsciiLetterUpper) ? currency : "?";

    private static void WriteTail(CanonicalJson json, AuditEntry entry, DateTimeOffset now)
    {
        if (entry.Charge is { } charge)
        {
            json.Begin("spend");
            json.Text("amount", Detail.Plain(charge.Amount));
            json.Text("currency", Code(charge.Currency));
            json.End();
        }

        json.Text("tenant", entry.Tenant.Value);
        Span<byte> time = stackalloc byte[28];
        Utf8Formatter.TryFormat(now.UtcDateTime, time, out _, 'O');
        time[23] = (byte)'Z'; // milliseconds are enough
        json.Text("time", time[..24]);
        if (entry.TokenId is { } token)
        {
            json.Text("tokenRef", Reference(token));
        }

        if (entry.TraceParent is not null)
        {
            json.Begin("trace");
            json.Text("traceparent", entry.TraceParent);
            json.End();
        }

        json.Number("v", 1);
    }

    // The token stands in the log by its hash.
    private static string Reference(string token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        return $"sha-256:{Base64Url.EncodeToString(hash)}";
    }
}

/// <summary>
/// A person as the log knows one: a pseudonym for the index outside, a commitment inside the records.
/// </summary>
internal sealed record AuditSubject(string Pseudonym, string Commitment);
