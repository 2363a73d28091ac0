using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.AspNetCore.AccessTokens;
using Postern.Audit;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Http;
using Postern.Platform.Keys;

namespace Postern.OAuth.Introspect;

/// <summary>
/// RFC 7662: a resource server asks whether a token is alive now. Only the token's own resource or its own client
/// learns anything; to everybody else each token looks like none. A resource server that accepts it is answered with a
/// signed statement (RFC 9701), which it can keep as evidence.
/// </summary>
internal sealed partial class IntrospectEndpoint(
    ClientAuthenticator clients, OwnTokens tokens, JwtWriter jwt, AuditLog audit, TimeProvider clock)
{
    private const string JwtType = "token-introspection+jwt", JwtMedia = $"application/{JwtType}";

    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/introspect", (HttpRequest http, IntrospectEndpoint introspect, CancellationToken stop) =>
            introspect.IntrospectAsync(http, stop))
        .Open()
        .AtBoth();

    private async Task<IResult> IntrospectAsync(HttpRequest http, CancellationToken stop)
    {
        if ((await Form.ReadAsync(http, stop)).Failed(out var error, out var form)
            || (await ProvenAsync(http, form, stop)).Failed(out error, out var presenter))
        {
            return error.ToHttp();
        }

        if (form["token"] is not { } text)
        {
            return OAuthError.InvalidRequest("token is missing.").ToHttp();
        }

        http.HttpContext.Response.Headers.CacheControl = "no-store";
        var isSigned = presenter.Client.Introspects.Count > 0 && WantsSigned(http);
        var answer = await AnswerAsync(presenter, text, isSigned, stop);
        return isSigned
            ? Results.Text(await SignAsync(presenter, answer, stop), JwtMedia)
            : Results.Json(answer, IntrospectJson.Default.Introspection);
    }

    // §4: without proof of who asks, this would be an oracle for guessed and found tokens. Who shows nothing is told so
    // by 400 (RFC 9701 §5), who shows something wrong by 401 (RFC 7662 §2.3).
    private async ValueTask<Result<Presenter>> ProvenAsync(HttpRequest http, Form form, CancellationToken stop)
    {
        if (!(await clients.AuthenticateAsync(http, form, stop)).Failed(out var error, out var presenter))
        {
            if (!presenter.Client.IsPublic)
            {
                return presenter;
            }

            error = OAuthError.InvalidClient("a public client cannot introspect");
        }

        return error.Status is StatusCodes.Status401Unauthorized && !ClientCredentials.AreIn(http, form)
            ? error with { Status = StatusCodes.Status400BadRequest }
            : error;
    }

    private async ValueTask<Introspection> AnswerAsync(
        Presenter presenter, string text, bool isSigned, CancellationToken stop)
    {
        var token = await tokens.ReadAsync(presenter.Tenant, text, stop);
        if (token is null || !MayAsk(presenter.Client, token, isSigned))
        {
            return new() { Active = false };
        }

        Record(presenter, token);
        return Active(token);
    }

    // RFC 9701 §4: by the Accept header; between equals the one that had to be named.
    private static bool WantsSigned(HttpRequest http)
    {
        var accepted = http.GetTypedHeaders().Accept;
        return Quality(JwtMedia) is > 0 and var signed && signed >= Quality("application/json");

        double Quality(string media) => accepted
            .Where(range => range.MediaType.Equals(media, StringComparison.OrdinalIgnoreCase))
            .Select(range => range.Quality ?? 1)
            .FirstOrDefault();
    }

    // RFC 9701 §5: for the one who asked, of a kind of its own, and without sub and exp at the top, so that it passes
    // for no access token.
    private ValueTask<string> SignAsync(Presenter presenter, Introspection answer, CancellationToken stop) =>
        jwt.WriteAsync(
            presenter.Tenant.Id,
            JwtType,
            presenter.Client.IntrospectionAlgorithm,
            json =>
            {
                json.WriteString("iss"u8, presenter.Tenant.Issuer);
                json.WriteString("aud"u8, presenter.Client.Id.Value);
                json.WriteNumber("iat"u8, clock.GetUtcNow().ToUnixTimeSeconds());
                json.WritePropertyName("token_introspection"u8);
                JsonSerializer.Serialize(json, answer, IntrospectJson.Default.Introspection);
            },
            stop);

    // Only what was learned is an entry: guesses would make the log grow. Nobody waits for it.
    private void Record(Presenter presenter, AccessToken token) => audit.WriteSoon(new()
    {
        Tenant = presenter.Tenant.Id,
        Kind = AuditKinds.TokenIntrospected,
        Client = presenter.Client.Id,
        Resource = token.Audience,
        TokenId = token.Id,
        Network = presenter.Network,
    });

    // What is signed is signed for the resource server of the token, and for nobody else (RFC 9701 §5).
    private static bool MayAsk(Client client, AccessToken token, bool isSigned) =>
        client.Introspects.Contains(token.Audience) || (!isSigned && token.ClientId == client.Id.Value);

    private static Introspection Active(AccessToken token) => new()
    {
        Active = true,
        Scope = string.Join(' ', token.Scopes),
        ClientId = token.ClientId,
        TokenType = token.KeyThumbprint is null ? "Bearer" : "DPoP",
        Cnf = Confirmation.Of(token),
        Exp = token.ExpiresAt.ToUnixTimeSeconds(),
        Iat = token.IssuedAt.ToUnixTimeSeconds(),
        Sub = token.Subject,
        Aud = token.Audience,
        Iss = token.Issuer,
        Jti = token.Id,
        GrantId = token.GrantId,
        Ancestors = token.Ancestors is [] ? null : token.Ancestors,
        Act = Acting.Of(token.Actor),
        AuthTime = token.AuthenticatedAt?.ToUnixTimeSeconds(),
        Acr = token.AuthenticationContext,
        AuthorizationDetails = token.AuthorizationDetails is [] ? null : token.AuthorizationDetails,
    };

    internal sealed record Introspection
    {
        public required bool Active { get; init; }

        public string? Scope { get; init; }

        public string? ClientId { get; init; }

        public string? TokenType { get; init; }

        public Confirmation? Cnf { get; init; }

        public long? Exp { get; init; }

        public long? Iat { get; init; }

        public string? Sub { get; init; }

        public string? Aud { get; init; }

        public string? Iss { get; init; }

        public string? Jti { get; init; }

        public string? GrantId { get; init; }

        public IReadOnlyList<string>? Ancestors { get; init; }

        public Acting? Act { get; init; }

        public long? AuthTime { get; init; }

        public string? Acr { get; init; }

        public IReadOnlyList<JsonElement>? AuthorizationDetails { get; init; }
    }

    /// <summary>
    /// What the resource server asks to be shown: a proof of this key (RFC 9449 §6.2), or this certificate (RFC 8705
    /// §3.2).
    /// </summary>
    internal sealed record Confirmation(
        string? Jkt, [property: JsonPropertyName("x5t#S256")] string? Certificate)
    {
        public static Confirmation? Of(AccessToken token) =>
            (token.KeyThumbprint ?? token.CertificateThumbprint) is null
                ? null
                : new(token.KeyThumbprint, token.CertificateThumbprint);
    }

    /// <summary>The actor and, inside, those before it (RFC 8693 §4.1).</summary>
    internal sealed record Acting(string? Iss, string Sub, string? SubProfile, Acting? Act)
    {
        public static Acting? Of(Actor? actor) =>
            actor is null ? null : new(actor.Issuer, actor.Subject, actor.Profile, Of(actor.Prior));
    }

    [JsonSerializable(typeof(Introspection))]
    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    private sealed partial class IntrospectJson : JsonSerializerContext;
}
