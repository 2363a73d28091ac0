using System.Buffers;
using System.Text.Json;

namespace Postern.AspNetCore.AccessTokens;

/// <summary>
/// Reads the claims of a token whose signature is proven (RFC 9068 §2.2). The first claim that is missing or malformed
/// makes the whole token refused.
/// </summary>
internal struct TokenClaims
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    // RFC 6749 §3.3: %x21 / %x23-5B / %x5D-7E.
    private static readonly SearchValues<char> ScopeCharacters = SearchValues.Create(
        [.. Enumerable.Range(0x21, 0x7E - 0x21 + 1).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);

    private readonly JsonElement claims;
    private string? fault;

    private TokenClaims(JsonElement claims) => this.claims = claims;

    public static TokenOutcome Read(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return document.RootElement.ValueKind is JsonValueKind.Object
                ? new TokenClaims(document.RootElement).Read()
                : TokenRefusal.Token("claims: not an object");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return TokenRefusal.Token("claims: not strict JSON");
        }
    }

    public const string ScopeGrammar = "visible ASCII without space, quotation mark and backslash";

    /// <summary>Whether this is one scope token (RFC 6749 §3.3).</summary>
    public static bool IsScope(string text) => text is not "" && !text.AsSpan().ContainsAnyExcept(ScopeCharacters);

    private TokenOutcome Read()
    {
        var issuedAt = Instant("iat");
        var token = new AccessToken
        {
            Issuer = Text("iss"),
            Subject = Text("sub"),
            Audience = Text("aud"),
            ClientId = Text("client_id"),
            Id = Text("jti"),
            IssuedAt = issuedAt,
            NotBefore = OptionalInstant("nbf") ?? issuedAt,
            ExpiresAt = Instant("exp"),
            Scopes = Scopes(),
            GrantId = OptionalText("grant_id"),
            Ancestors = Texts("ancestors"),
            Actor = Actor(claims, "act"),
            MayAct = Actor(claims, "may_act"),
            AuthorizationDetails = Details(),
            AuthenticatedAt = OptionalInstant("auth_time"),
            AuthenticationContext = OptionalText("acr"),
            SessionId = OptionalText("sid"),
            TransactionId = OptionalText("txn"),
            KeyThumbprint = Confirmation("jkt", "x5t#S256"),
            CertificateThumbprint = Confirmation("x5t#S256", "jkt"),
        };
        return fault is null ? token : TokenRefusal.Token($"claim: {fault}");
    }

    private string Text(string name) => OptionalText(claims, name) ?? Fault<string>(name) ?? "";

    private string? OptionalText(string name) => OptionalText(claims, name);

    // An array is not taken for aud even with one element: a token is good at exactly one resource.
    private string? OptionalText(JsonElement json, string name) => Optional(json, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value when value.GetString() is { Length: > 0 } text => text,
        _ => Fault<string>(name),
    };

    private DateTimeOffset Instant(string name)
    {
        if (OptionalInstant(name) is { } instant)
        {
            return instant;
        }

        fault ??= name;
        return default;
    }

    private DateTimeOffset? OptionalInstant(string name)
    {
        if (Optional(claims, name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out var seconds)
            && seconds is >= 0 and < 253_402_300_800) // the year 10000, the end of DateTimeOffset
        {
            return DateTimeOffset.FromUnixTimeSeconds(seconds);
        }

        fault ??= name;
        return null;
    }

    private string[] Scopes()
    {
        // An empty scope says the same as none, and some servers write it.
        if (Optional(claims, "scope") is { ValueKind: JsonValueKind.String } scope && scope.ValueEquals(""))
        {
            return [];
        }

        var scopes = OptionalText("scope")?.Split(' ') ?? [];
        return Array.TrueForAll(scopes, IsScope) ? scopes : Fault<string[]>("scope") ?? [];
    }

    // The depth of the document, 16, bounds the recursion.
    private string[] Texts(string name)
    {
        if (Optional(claims, name) is not { } list)
        {
            return [];
        }

        return list.ValueKind is JsonValueKind.Array
            && list.EnumerateArray().All(one => one.ValueKind is JsonValueKind.String)
                ? [.. list.EnumerateArray().Select(one => one.GetString()!)]
                : Fault<string[]>(name) ?? [];
    }

    private Actor? Actor(JsonElement holder, string name) => Optional(holder, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } act when OptionalText(act, "sub") is { } subject => new(
            OptionalText(act, "iss"), subject, OptionalText(act, "sub_profile"), Actor(act, "act")),
        _ => Fault<Actor>(name),
    };

    // RFC 7800 §3: a bound token is worth nothing without its proof of possession, so a kind of proof that is not
    // checked here, alone or beside another, makes it refused.
    private string? Confirmation(string member, string other) => Optional(claims, "cnf") switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } cnf when cnf.GetPropertyCount() is 1
            && OptionalText(cnf, member) is { Length: 43 } thumbprint => thumbprint,
        { ValueKind: JsonValueKind.Object } cnf when cnf.GetPropertyCount() is 1
            && OptionalText(cnf, other) is { Length: 43 } => null,
        _ => Fault<string>("cnf"),
    };

    private JsonElement[] Details()
    {
        if (Optional(claims, "authorization_details") is not { } details)
        {
            return [];
        }

        return details.ValueKind is JsonValueKind.Array && details.EnumerateArray().All(HasType)
            ? [.. details.EnumerateArray().Select(detail => detail.Clone())]
            : Fault<JsonElement[]>("authorization_details") ?? [];
    }

    private static bool HasType(JsonElement detail) =>
        detail.ValueKind is JsonValueKind.Object
        && detail.TryGetProperty("type", out var type) && type.ValueKind is JsonValueKind.String
        && type.GetString() is not null; // throws here, where it is caught, when it is no text

    private static JsonElement? Optional(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value : null;

    private T? Fault<T>(string name)
        where T : class
    {
        fault ??= name;
        return null;
    }
}
