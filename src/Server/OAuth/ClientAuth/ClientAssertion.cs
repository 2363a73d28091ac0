using System.Buffers.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Postern.Platform;
using Postern.Platform.Configuration;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// <c>private_key_jwt</c> (RFC 7523 §3 with rfc7523bis): a statement that the client signed for this issuer, good once
/// and for minutes.
/// </summary>
internal sealed class ClientAssertion(ClientKeys keys, Once once, Settings settings, TimeProvider clock)
{
    /// <summary>What is served, in the metadata too.</summary>
    public static readonly string[] Algorithms = ["ES256", "PS256", "RS256"];

    /// <summary>How far ahead an assertion may expire.</summary>
    private static readonly TimeSpan MaxLife = TimeSpan.FromMinutes(5), Skew = TimeSpan.FromSeconds(8);

    private const int MaxLength = 8000;

    // These name or carry a key. A key comes from the client's registration and from nowhere else.
    private static readonly string[] ForeignKeyHeaders = ["jku", "jwk", "x5u", "x5c", "crit"];

    private static readonly JsonWebTokenHandler Handler =
        new() { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxLength };

    /// <summary>The client the assertion says it is from, not yet proven; null when it cannot be read.</summary>
    public static string? Claimed(string assertion) => Read(assertion) is { } token ? token.Subject : null;

    /// <summary>Null when the assertion proves the client; else why not, for the log.</summary>
    public async ValueTask<string?> RefusalAsync(
        TenantId tenant, Client client, string assertion, CancellationToken stop)
    {
        if (Read(assertion) is not { } token || FormRefusal(token, client.Id.Value) is not null)
        {
            return "malformed assertion";
        }

        var found = await keys.FindAsync(client, token.Kid, stop);
        var result = await Handler.ValidateTokenAsync(token, new()
        {
            ValidAlgorithms = Algorithms,
            IssuerSigningKeys = found,
            TryAllIssuerSigningKeys = token.Kid is null or "",
            ValidIssuer = client.Id.Value,
            ValidAudience = settings.Issuer,
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            // Times are judged by our clock below.
            ValidateLifetime = false,
        });
        if (!result.IsValid)
        {
            return "assertion not signed by the client for this issuer";
        }

        return await once.TakeAsync(tenant, "assertion", $"{client.Id}\n{token.Id}", clock.GetUtcNow() + MaxLife + Skew)
            ? null
            : "assertion used again";
    }

    private string? FormRefusal(JsonWebToken token, string client)
    {
        var now = clock.GetUtcNow();
        // Read as they stand: the library takes a text for a number, and a list of one audience for an audience.
        using var payload = JsonDocument.Parse(Base64Url.DecodeFromChars(token.EncodedPayload));
        var claims = payload.RootElement;
        var (issued, starts, expires) = (At(claims, "iat"), At(claims, "nbf"), At(claims, "exp"));
        return token switch
        {
            _ when Array.Exists(ForeignKeyHeaders, name => token.TryGetHeaderValue<object>(name, out _)) =>
                "a key in the header",
            { Typ: { Length: > 0 } typ } when typ is not ("JWT" or "jwt" or "client-authentication+jwt") =>
                "another kind of token",
            _ when token.Issuer != client || token.Subject != client => "iss and sub are not the client",
            { Id: null or "" or { Length: > 200 } } => "no jti",
            // RFC 7523bis: the issuer, as one string; a list would let one assertion serve two servers.
            _ when !claims.TryGetProperty("aud", out var audience)
                || audience.ValueKind is not JsonValueKind.String
                || !audience.ValueEquals(settings.Issuer) => "aud is not this issuer alone",
            _ when expires is null || expires <= now || expires > now + MaxLife + Skew => "exp",
            _ when issued > now + Skew || starts > now + Skew => "from the future",
            _ => null,
        };
    }

    private static DateTimeOffset? At(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number
        && value.TryGetDouble(out var seconds) && seconds is > 0 and < 253402300799
            ? DateTimeOffset.FromUnixTimeSeconds((long)seconds)
            : null;

    // RFC 7515 §2: no padding, no blanks, no loose bits at the end; one assertion has one spelling.
    private static bool IsExact(string part) =>
        Base64Url.IsValid(part) && Base64Url.EncodeToString(Base64Url.DecodeFromChars(part)) == part;

    private static JsonWebToken? Read(string assertion)
    {
        if (assertion.Length > MaxLength || assertion.Split('.') is not { Length: 3 } parts || !parts.All(IsExact))
        {
            return null;
        }

        try
        {
            return Handler.ReadJsonWebToken(assertion);
        }
        catch (Exception failure) when (failure is ArgumentException or SecurityTokenException or JsonException)
        {
            return null;
        }
    }
}
