using System.Text.Json;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Client metadata (RFC 7591 §2) as it comes from outside, in a registration or in a metadata document, read strictly:
/// one meaning for each member, bounded, unknown members ignored.
/// </summary>
internal sealed record ClientMetadata
{
    public const string
        None = "none", Basic = "client_secret_basic", Post = "client_secret_post", PrivateKeyJwt = "private_key_jwt";

    public const string
        AuthorizationCode = "authorization_code",
        RefreshToken = "refresh_token",
        ClientCredentials = "client_credentials";

    /// <summary>Bytes of a registration; a document is smaller still.</summary>
    public const int MaxBytes = 16 * 1024;

    private const int MaxText = 200, MaxList = 20, MaxKeys = 10, MaxLengthOfUrl = 2000, RedirectUriLimit = 4000;

    /// <summary>What is served, strongest first.</summary>
    public static readonly string[] AuthMethods = [PrivateKeyJwt, Basic, Post, None];

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    public required string? Name { get; init; }

    public required IReadOnlyList<string> RedirectUris { get; init; }

    public required IReadOnlyList<string> GrantTypes { get; init; }

    public required string AuthMethod { get; init; }

    public required string ApplicationType { get; init; }

    public required Scopes? Scope { get; init; }

    public required string? Jwks { get; init; }

    public required string? JwksUri { get; init; }

    /// <summary>Reads a registration request (RFC 7591 §3.1).</summary>
    public static Result<ClientMetadata> Register(ReadOnlyMemory<byte> json, string issuer) => Read(json, null, issuer);

    /// <summary>Reads a metadata document: it must name itself, and may hold no shared secret.</summary>
    public static Result<ClientMetadata> Document(ReadOnlyMemory<byte> json, string url, string issuer) =>
        Read(json, url, issuer);

    private static Result<ClientMetadata> Read(ReadOnlyMemory<byte> json, string? url, string issuer)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return document.RootElement.ValueKind is JsonValueKind.Object
                ? Read(document.RootElement, url, issuer)
                : Invalid("Client metadata is a JSON object.");
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // The second for a text with half of a surrogate pair.
            return Invalid("Client metadata is valid JSON, without repeated members.");
        }
        catch (MalformedMemberException malformed)
        {
            return Invalid(malformed.Message);
        }
    }

    private static Result<ClientMetadata> Read(JsonElement root, string? url, string issuer)
    {
        if (url is not null && DocumentRefusal(root, url) is { } refusal)
        {
            return Invalid(refusal);
        }

        var uris = List(root, "redirect_uris", RedirectUriLimit) ?? [];
        var isNative = ApplicationTypeOf(root, uris) is "native";
        if (uris.Count is 0 or > ClientAuth.RedirectUris.MaxCount)
        {
            return new OAuthError("invalid_redirect_uri", "redirect_uris holds 1 to 20 addresses.");
        }

        foreach (var uri in uris)
        {
            // Private schemes prove nothing of a document's host, so they are for registrations alone.
            if (ClientAuth.RedirectUris.Refusal(uri, issuer, allowsPrivateSchemes: url is null && isNative) is { } why)
            {
                return new OAuthError("invalid_redirect_uri", why);
            }
        }

        var grants = GrantTypesOf(root);
        if (!grants.Contains(AuthorizationCode) || List(root, "response_types")?.Contains("code") is false)
        {
            return Invalid(
                "A client that registers itself uses grant_types authorization_code and response_types code.");
        }

        var (jwks, jwksUri) = (Keys(root), Text(root, "jwks_uri", MaxLengthOfUrl));
        var method = AuthMethodOf(root, url is not null);
        return (method, jwks, jwksUri) switch
        {
            (null, _, _) =>
                Invalid($"token_endpoint_auth_method is one of: {string.Join(", ", Offered(url is not null))}."),
            (_, not null, not null) => Invalid("Either jwks or jwks_uri, not both."),
            (PrivateKeyJwt, null, null) => Invalid("private_key_jwt needs jwks or jwks_uri."),
            _ when jwksUri is not null && !jwksUri.StartsWith("https://", StringComparison.Ordinal) =>
                Invalid("jwks_uri is an https URL."),
            _ => new ClientMetadata
            {
                Name = Text(root, "client_name", MaxText),
                RedirectUris = uris,
                GrantTypes = grants,
                AuthMethod = method,
                ApplicationType = isNative ? "native" : "web",
                Scope = ScopeOf(root),
                Jwks = jwks,
                JwksUri = jwksUri,
            },
        };
    }

    // Metadata Document draft §4.1: the document names its own URL, and no secret can be shared through a public file.
    private static string? DocumentRefusal(JsonElement root, string url)
    {
        if (Text(root, "client_id", MaxLengthOfUrl) != url)
        {
            return "The document's client_id is not the URL it was fetched from.";
        }

        if (root.TryGetProperty("client_secret", out _) || root.TryGetProperty("client_secret_expires_at", out _))
        {
            return "A public document cannot hold a client_secret.";
        }

        return Text(root, "client_name", MaxText) is { Length: > 0 } ? null : "The document has no client_name.";
    }

    private static IReadOnlyList<string> Offered(bool isDocument) => isDocument ? [PrivateKeyJwt, None] : AuthMethods;

    // Some documents name all methods they can use beside the one they prefer; the strongest that is served here is
    // taken.
    private static string? AuthMethodOf(JsonElement root, bool isDocument)
    {
        var offered = Offered(isDocument);
        if (List(root, "token_endpoint_auth_methods_supported") is { Count: > 0 } several)
        {
            return offered.FirstOrDefault(several.Contains);
        }

        var method = Text(root, "token_endpoint_auth_method", MaxText) ?? (isDocument ? None : Basic);
        return offered.Contains(method) ? method : null;
    }

    // Unknown grant types are left out, not refused: editors register all they have heard of.
    private static List<string> GrantTypesOf(JsonElement root) =>
        List(root, "grant_types") is { } named
            ? [.. named.Where(type => type is AuthorizationCode or RefreshToken).Distinct(StringComparer.Ordinal)]
            : [AuthorizationCode, RefreshToken];

    // OIDC would make a missing type "web", which may not use http; clients on loopback leave it out all the same.
    private static string ApplicationTypeOf(JsonElement root, IReadOnlyList<string> uris) =>
        Text(root, "application_type", MaxText) switch
        {
            "native" => "native",
            null => uris.Any(uri => !uri.StartsWith("https://", StringComparison.Ordinal)) ? "native" : "web",
            "web" => "web",
            _ => throw new MalformedMemberException("application_type is web or native."),
        };

    private static Scopes? ScopeOf(JsonElement root)
    {
        if (Text(root, "scope", Scopes.MaxLength) is not { Length: > 0 } text)
        {
            return null;
        }

        return Scopes.TryParse(text, out var scopes)
            ? scopes
            : throw new MalformedMemberException("scope is not a list of scopes.");
    }

    private static string? Keys(JsonElement root)
    {
        if (!root.TryGetProperty("jwks", out var jwks) || jwks.ValueKind is JsonValueKind.Null)
        {
            return null;
        }

        var isSet = jwks.ValueKind is JsonValueKind.Object && jwks.TryGetProperty("keys", out var keys)
            && keys.ValueKind is JsonValueKind.Array && keys.GetArrayLength() is > 0 and <= MaxKeys
            && keys.EnumerateArray().All(IsPublic);
        return isSet
            ? jwks.GetRawText()
            : throw new MalformedMemberException("jwks holds 1 to 10 public keys under keys.");
    }

    // A client that publishes its private key has no key.
    private static bool IsPublic(JsonElement key) =>
        key.ValueKind is JsonValueKind.Object
        && key.TryGetProperty("kty", out var type)
        && (type.ValueEquals("EC") || type.ValueEquals("RSA") || type.ValueEquals("OKP"))
        && !key.TryGetProperty("d", out _) && !key.TryGetProperty("k", out _);

    private static string? Text(JsonElement root, string name, int most)
    {
        if (!root.TryGetProperty(name, out var member) || member.ValueKind is JsonValueKind.Null)
        {
            return null;
        }

        return member.ValueKind is JsonValueKind.String && member.GetString() is { } text && text.Length <= most
            ? text
            : throw new MalformedMemberException($"{name} is a text of at most {most} characters.");
    }

    private static List<string>? List(JsonElement root, string name, int most = MaxText)
    {
        if (!root.TryGetProperty(name, out var member) || member.ValueKind is JsonValueKind.Null)
        {
            return null;
        }

        return member.ValueKind is JsonValueKind.Array && member.GetArrayLength() <= MaxList
            && member.EnumerateArray().All(
                item => item.ValueKind is JsonValueKind.String && item.GetString()!.Length <= most)
            ? [.. member.EnumerateArray().Select(item => item.GetString()!)]
            : throw new MalformedMemberException($"{name} is a list of at most {MaxList} texts.");
    }

    private static OAuthError Invalid(string description) => new("invalid_client_metadata", description);

    private sealed class MalformedMemberException(string message) : Exception(message);
}
