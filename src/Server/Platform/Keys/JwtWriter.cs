using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Postern.Platform.Keys;

/// <summary>
/// Writes and signs what is no access token: ID tokens, logout tokens, signed answers (RFC 7515 §3.1).
/// </summary>
internal sealed class JwtWriter(SigningKeys keys)
{
    /// <param name="tenant">Whose key signs.</param>
    /// <param name="type">What it is, so that it is taken for nothing else (RFC 8725 §3.11); null to leave it
    /// out.</param>
    /// <param name="algorithm">By what it is signed.</param>
    /// <param name="claims">Writes the members of the payload.</param>
    /// <param name="stop">Ends the waiting.</param>
    public async ValueTask<string> WriteAsync(
        TenantId tenant, string? type, string algorithm, Action<Utf8JsonWriter> claims, CancellationToken stop)
    {
        return Write(await KeyAsync(tenant, algorithm, stop), type, claims);
    }

    /// <summary>What signs, for what is written later without waiting.</summary>
    public ValueTask<SigningKey> KeyAsync(TenantId tenant, string algorithm, CancellationToken stop) =>
        keys.CurrentAsync(tenant, algorithm, stop);

    /// <inheritdoc cref="WriteAsync"/>
    public static string Write(SigningKey key, string? type, Action<Utf8JsonWriter> claims)
    {
        var text = $"{Encode(json => Header(json, type, key))}.{Encode(claims)}";
        var signature = new byte[key.Size];
        key.Sign(Encoding.ASCII.GetBytes(text), signature);
        return $"{text}.{Base64Url.EncodeToString(signature)}";
    }

    private static void Header(Utf8JsonWriter json, string? type, SigningKey key)
    {
        json.WriteString("alg"u8, key.Algorithm);
        json.WriteString("kid"u8, key.Id);
        if (type is not null)
        {
            json.WriteString("typ"u8, type);
        }
    }

    // Header and payload are two texts: the first is copied out before the second begins.
    private static string Encode(Action<Utf8JsonWriter> members)
    {
        var json = ThreadJson.Begin();
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
        return Base64Url.EncodeToString(ThreadJson.End());
    }
}
