using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Postern.Platform.Keys;

namespace Postern.OAuth.Token;

/// <summary>
/// Writes and signs access tokens (RFC 9068 §2), without a token library between: this path is the busiest.
/// </summary>
internal sealed class AccessTokenWriter(SigningKeys keys, RandomNumberGenerator random)
{
    // One set of buffers a thread; a token is written in one go, without waiting for anything.
    [ThreadStatic]
    private static Buffers? buffers;

    private volatile Header? header;

    /// <summary>A fresh token identifier, 128 random bits.</summary>
    public string NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        random.GetBytes(bytes);
        return Base64Url.EncodeToString(bytes);
    }

    public string Write(Tenant tenant, Grant grant, Scopes scopes, string id, DateTimeOffset now)
    {
        var (json, writer) = buffers ??= new();
        json.ResetWrittenCount();
        writer.Reset(json);
        Claims(writer, tenant, grant, scopes, id, now);
        writer.Flush();

        var key = keys.Current();
        var head = HeaderOf(key);
        var length = head.Length + 1 + Base64Url.GetEncodedLength(json.WrittenCount);
        var total = length + 1 + Base64Url.GetEncodedLength(SigningKey.SignatureSize);
        var rented = ArrayPool<byte>.Shared.Rent(total);
        var token = rented.AsSpan(0, total);
        head.CopyTo(token);
        token[head.Length] = (byte)'.';
        Base64Url.EncodeToUtf8(json.WrittenSpan, token[(head.Length + 1)..length]);
        Span<byte> signature = stackalloc byte[SigningKey.SignatureSize];
        key.Sign(token[..length], signature);
        token[length] = (byte)'.';
        Base64Url.EncodeToUtf8(signature, token[(length + 1)..]);
        var text = Encoding.ASCII.GetString(token);
        ArrayPool<byte>.Shared.Return(rented);
        return text;
    }

    private static void Claims(
        Utf8JsonWriter json, Tenant tenant, Grant grant, Scopes scopes, string id, DateTimeOffset now)
    {
        json.WriteStartObject();
        json.WriteString("iss"u8, tenant.Issuer);
        json.WriteString("sub"u8, grant.Subject.Value);
        json.WriteString("aud"u8, grant.Resource.Value);
        json.WriteString("client_id"u8, grant.Client.Value);
        json.WriteString("scope"u8, scopes.ToString());
        json.WriteNumber("exp"u8, Expires(tenant, grant, now).ToUnixTimeSeconds());
        json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
        json.WriteString("jti"u8, id);
        json.WriteString("grant_id"u8, grant.Id.Value);
        if (grant.AuthTime is { } time)
        {
            json.WriteNumber("auth_time"u8, time.ToUnixTimeSeconds());
        }

        if (grant.Acr is { } acr)
        {
            json.WriteString("acr"u8, acr);
        }

        if (grant.Tools is { } tools)
        {
            json.WritePropertyName("authorization_details"u8);
            WriteDetails(json, grant.Resource, tools);
        }

        json.WriteEndObject();
    }

    /// <summary>The tools a person left on, as RFC 9396 says it.</summary>
    public static void WriteDetails(Utf8JsonWriter json, Resource resource, IReadOnlyList<string> tools)
    {
        json.WriteStartArray();
        json.WriteStartObject();
        json.WriteString("type"u8, "mcp_tool"u8);
        json.WriteStartArray("locations"u8);
        json.WriteStringValue(resource.Value);
        json.WriteEndArray();
        json.WriteStartArray("actions"u8);
        foreach (var tool in tools)
        {
            json.WriteStringValue(tool);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    /// <summary>When a token made now ends: never after its grant.</summary>
    public static DateTimeOffset Expires(Tenant tenant, Grant grant, DateTimeOffset now) =>
        now + tenant.AccessLifetime < grant.ExpiresAt ? now + tenant.AccessLifetime : grant.ExpiresAt;

    // RFC 9068 §2.1. The key changes once in months; two threads that write it at once write the same.
    private byte[] HeaderOf(SigningKey key)
    {
        var known = header;
        if (known?.Key != key.Id)
        {
            var text = $$"""{"alg":"ES256","typ":"at+jwt","kid":"{{key.Id}}"}""";
            var encoded = Base64Url.EncodeToString(Encoding.ASCII.GetBytes(text));
            header = known = new(key.Id, Encoding.ASCII.GetBytes(encoded));
        }

        return known.Encoded;
    }

    /// <summary>One object, so that nobody reads the name of one key with the header of another.</summary>
    private sealed record Header(string Key, byte[] Encoded);

    [SuppressMessage("Design", "CA1001", Justification = "Lives as long as its thread, over memory of our own.")]
    private sealed class Buffers
    {
        private readonly ArrayBufferWriter<byte> json = new(1024);
        private readonly Utf8JsonWriter writer;

        public Buffers() => writer = new(json);

        public void Deconstruct(out ArrayBufferWriter<byte> json, out Utf8JsonWriter writer) =>
            (json, writer) = (this.json, this.writer);
    }
}
