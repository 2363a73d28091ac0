using System.Buffers;
using System.Text.Json;
using Postern.Platform;

namespace Postern.OAuth.Token;

/// <summary>A successful answer (RFC 6749 §5.1). <c>scope</c> is always there, so that narrowing is seen.</summary>
internal sealed record IssuedTokens : IResult
{
    /// <summary>As it is sent, in ASCII.</summary>
    public required byte[] AccessToken { get; init; }

    /// <summary>What it is (RFC 8693 §2.2.1); null where the grant type does not say so.</summary>
    public string? IssuedTokenType { get; init; }

    /// <summary>How it is presented; <c>N_A</c> for what is no access token (RFC 8693 §2.2.1).</summary>
    public required string TokenType { get; init; }

    /// <summary>Seconds.</summary>
    public required long ExpiresIn { get; init; }

    public string? RefreshToken { get; init; }

    /// <summary>
    /// Seconds that the refresh token may rest, and that the grant still lasts; null without a refresh token
    /// (draft-ietf-oauth-refresh-token-expiration).
    /// </summary>
    public long? RefreshTimeout { get; init; }

    /// <inheritdoc cref="RefreshTimeout"/>
    public long? AuthorizationExpiresIn { get; init; }

    /// <summary>Who the person is (OpenID Connect Core §3.1.3.3); null when that was not asked.</summary>
    public string? IdToken { get; init; }

    public required Scopes Scope { get; init; }

    /// <summary>What it holds in more detail than scopes (RFC 9396 §7); null for nothing.</summary>
    public required Details? Details { get; init; }

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        // For caches of HTTP/1.0, in the words of RFC 6749 §5.1.
        response.Headers.Pragma = "no-cache";
        WriteTo(ThreadJson.Begin());
        var body = ThreadJson.End();
        response.ContentLength = body.Length;
        response.BodyWriter.Write(body);
        return response.BodyWriter.FlushAsync(httpContext.RequestAborted).AsTask();
    }

    private void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("access_token"u8, AccessToken);
        if (IssuedTokenType is not null)
        {
            json.WriteString("issued_token_type"u8, IssuedTokenType);
        }

        json.WriteString("token_type"u8, TokenType);
        json.WriteNumber("expires_in"u8, ExpiresIn);
        if (RefreshToken is not null)
        {
            json.WriteString("refresh_token"u8, RefreshToken);
        }

        if (RefreshTimeout is { } timeout && AuthorizationExpiresIn is { } ends)
        {
            json.WriteNumber("refresh_token_timeout"u8, timeout);
            json.WriteNumber("authorization_expires_in"u8, ends);
        }

        if (IdToken is not null)
        {
            json.WriteString("id_token"u8, IdToken);
        }

        json.WriteString("scope"u8, Scope.ToString());
        AccessTokenWriter.WriteDetails(json, Details);
        json.WriteEndObject();
    }
}
