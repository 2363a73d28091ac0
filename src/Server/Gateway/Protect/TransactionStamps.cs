using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Postern.Gateway.Inspect;
using Postern.Gateway.Relay;
using Postern.Platform.Configuration;
using Postern.Platform.Keys;
using Postern.Platform.Tenants;
using Postern.Policy;

namespace Postern.Gateway.Protect;

/// <summary>
/// Transaction tokens for calls on their way to servers that take them (draft-ietf-oauth-transaction-tokens): for whom,
/// what for and by which grant one call is made, for a minute. The token that the client sent goes nowhere (T103).
/// </summary>
internal sealed class TransactionStamps(JwtWriter jwt, Settings settings, TimeProvider clock)
{
    private const string Type = "txntoken+jwt";

    private static readonly TimeSpan Life = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Makes the token of a call, anew each time the call is sent, since a person may be asked in between; null for a
    /// server that takes none.
    /// </summary>
    public Func<CancellationToken, ValueTask<string>>? For(
        HttpContext http, Admission admission, Permit permit, Message call)
    {
        if (!admission.Server.TakesTransactionTokens)
        {
            return null;
        }

        var (tenant, digest) = (http.Tenant, DigestOf(call));
        return stop => jwt.WriteAsync(
            tenant.Id,
            Type,
            SigningKey.Es256,
            json => Write(json, tenant, admission, permit, digest),
            stop);
    }

    private void Write(Utf8JsonWriter json, Tenant tenant, Admission admission, Permit permit, string digest)
    {
        var (grant, question, now) = (admission.Grant, permit.Question, clock.GetUtcNow());
        var until = now + Life < admission.Token.ExpiresAt ? now + Life : admission.Token.ExpiresAt;
        json.WriteString("iss"u8, tenant.Issuer);
        json.WriteString("aud"u8, settings.TrustDomain ?? throw new UpstreamException(
            "This server takes transaction tokens, and the configuration names no `trust_domain`."));
        json.WriteString("sub"u8, grant.Subject.Value);
        json.WriteString("scope"u8, question.Risk.Scope);
        json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
        json.WriteNumber("exp"u8, until.ToUnixTimeSeconds());
        json.WriteString("txn"u8, permit.Entry);
        json.WriteString("req_wl"u8, admission.Server.Resource.Value);
        ActingParty.Write(json, grant.Actors);
        if (grant.Told?.For([question.Tool]) is { } told)
        {
            json.WritePropertyName("authorization_details"u8);
            told.WriteTo(json);
        }

        WriteDetails(json, grant, question, digest);
        WriteContext(json, grant, question);
    }

    private static void WriteDetails(Utf8JsonWriter json, Grant grant, Question question, string digest)
    {
        json.WriteStartObject("tctx"u8);
        json.WriteString("tool"u8, question.Tool);
        json.WriteString("arg_digest"u8, digest);
        json.WriteString("grant_id"u8, grant.Id.Value);
        json.WriteEndObject();
    }

    private static void WriteContext(Utf8JsonWriter json, Grant grant, Question question)
    {
        json.WriteStartObject("rctx"u8);
        json.WriteString("client_id"u8, grant.Client.Value);
        if (question.Network is { } network)
        {
            json.WriteString("network"u8, network);
        }

        if (grant is { Acr: { } acr, AuthTime: { } time })
        {
            json.WriteString("authn"u8, acr);
            json.WriteNumber("auth_time"u8, time.ToUnixTimeSeconds());
        }

        json.WriteEndObject();
    }

    // Over the bytes as they are sent: no second spelling of a value has to be agreed on.
    private static string DigestOf(Message call)
    {
        var part = call.At("params"u8, "arguments"u8);
        var bytes = part.IsMissing ? "{}"u8 : call.Bytes.Span.Slice(part.Start, part.Length);
        return "sha-256:" + Base64Url.EncodeToString(SHA256.HashData(bytes));
    }
}
