using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Postern.Grants;
using Postern.Platform;
using Postern.Platform.Keys;

namespace Postern.OAuth.Token;

/// <summary>
/// Writes and signs access tokens (RFC 9068 §2), without a token library between: this path is the busiest.
/// </summary>
internal sealed class AccessTokenWriter(SigningKeys keys, RandomNumberGenerator random)
{
    /// <summary>A fresh token identifier, 128 random bits.</summary>
    public string NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        random.GetBytes(bytes);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>What a token would say, for one that only refers to it.</summary>
    public static byte[] Claims(in TokenContent content) => Written(content).ToArray();

    public byte[] Write(in TokenContent content)
    {
        var claims = Written(content);
        var key = keys.Current(content.Tenant.Id);
        var head = key.Header("at+jwt"); // RFC 9068 §2.1
        var length = head.Length + 1 + Base64Url.GetEncodedLength(claims.Length);
        var token = new byte[length + 1 + Base64Url.GetEncodedLength(SigningKey.SignatureSize)];
        head.CopyTo(token, 0);
        token[head.Length] = (byte)'.';
        Base64Url.EncodeToUtf8(claims, token.AsSpan((head.Length + 1)..length));
        Span<byte> signature = stackalloc byte[SigningKey.SignatureSize];
        key.Sign(token.AsSpan(..length), signature);
        token[length] = (byte)'.';
        Base64Url.EncodeToUtf8(signature, token.AsSpan(length + 1));
        return token;
    }

    // Good until this thread writes the next one.
    private static ReadOnlySpan<byte> Written(in TokenContent content)
    {
        Claims(ThreadJson.Begin(), content);
        return ThreadJson.End();
    }

    private static void Claims(Utf8JsonWriter json, in TokenContent content)
    {
        var grant = content.Grant;
        json.WriteStartObject();
        json.WriteString("iss"u8, content.Tenant.Issuer);
        json.WriteString("sub"u8, grant.Subject.Value);
        json.WriteString("aud"u8, grant.Resource.Value);
        json.WriteString("client_id"u8, grant.Client.Value);
        json.WriteString("scope"u8, content.Scopes.ToString());
        json.WriteNumber("exp"u8, content.ExpiresAt.ToUnixTimeSeconds());
        json.WriteNumber("iat"u8, content.IssuedAt.ToUnixTimeSeconds());
        json.WriteString("jti"u8, content.Id);
        json.WriteString("grant_id"u8, grant.Id.Value);
        Ancestors(json, content.Ancestors);
        Holder.Write(json, content.Holder);
        Status(json, content);
        ActingParty.Write(json, grant.Actors);
        MayAct(json, content);
        SignIn(json, grant);
        WriteDetails(json, grant.Told);
        json.WriteEndObject();
    }

    private static void Ancestors(Utf8JsonWriter json, IReadOnlyList<string> ancestors)
    {
        if (ancestors.Count > 0)
        {
            json.WriteStartArray("ancestors"u8);
            foreach (var ancestor in ancestors)
            {
                json.WriteStringValue(ancestor);
            }

            json.WriteEndArray();
        }
    }

    private static void Status(Utf8JsonWriter json, in TokenContent content)
    {
        if (content.Status is { } place)
        {
            json.WriteStartObject("status"u8);
            json.WriteStartObject("status_list"u8);
            json.WriteNumber("idx"u8, place.Index);
            json.WriteString("uri"u8, content.Tenant.Address($"{StatusPlaces.Path}/{place.List}"));
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static void MayAct(Utf8JsonWriter json, in TokenContent content)
    {
        if (content.MayAct is { } actor)
        {
            json.WriteStartObject("may_act"u8);
            json.WriteString("iss"u8, content.Tenant.Issuer);
            json.WriteString("sub"u8, actor.Value);
            json.WriteEndObject();
        }
    }

    private static void SignIn(Utf8JsonWriter json, Grant grant)
    {
        if (grant.AuthTime is { } time)
        {
            json.WriteNumber("auth_time"u8, time.ToUnixTimeSeconds());
        }

        if (grant.Acr is { } acr)
        {
            json.WriteString("acr"u8, acr);
        }
    }

    /// <summary>What is granted in more detail than scopes (RFC 9396 §7), if there is any.</summary>
    public static void WriteDetails(Utf8JsonWriter json, Details? details)
    {
        if (details is { } told)
        {
            json.WritePropertyName("authorization_details"u8);
            told.WriteTo(json);
        }
    }
}
