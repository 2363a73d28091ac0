using System.Text.Json.Serialization;
using Postern.AspNetCore.AccessTokens;
using Postern.Audit;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Http;

namespace Postern.OAuth.Introspect;

/// <summary>
/// RFC 7662: a resource server asks whether a token is alive now. Only the token's own resource or its own client
/// learns anything; to everybody else each token looks like none.
/// </summary>
internal sealed partial class IntrospectEndpoint(ClientAuthenticator clients, OwnTokens tokens, AuditLog audit)
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/introspect", (HttpRequest http, IntrospectEndpoint introspect, CancellationToken stop) =>
            introspect.IntrospectAsync(http, stop))
        .Open();

    private async Task<IResult> IntrospectAsync(HttpRequest http, CancellationToken stop)
    {
        if ((await Form.ReadAsync(http, stop)).Failed(out var error, out var form)
            || (await clients.AuthenticateAsync(http, form, stop)).Failed(out error, out var presenter))
        {
            return error.ToHttp();
        }

        // §4: without proof of who asks, this would be an oracle for guessed and found tokens.
        if (presenter.Client.IsPublic)
        {
            return OAuthError.InvalidClient("a public client cannot introspect").ToHttp();
        }

        if (form["token"] is not { } text)
        {
            return OAuthError.InvalidRequest("token is missing.").ToHttp();
        }

        var token = await tokens.ReadAsync(presenter.Tenant, text, stop);
        http.HttpContext.Response.Headers.CacheControl = "no-store";
        if (token is null || !MayAsk(presenter.Client, token))
        {
            return Results.Json(new() { Active = false }, IntrospectJson.Default.Introspection);
        }

        Record(presenter, token);
        return Results.Json(Active(token), IntrospectJson.Default.Introspection);
    }

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

    private static bool MayAsk(Client client, AccessToken token) =>
        token.ClientId == client.Id.Value || client.Introspects.Contains(token.Audience);

    private static Introspection Active(AccessToken token) => new()
    {
        Active = true,
        Scope = string.Join(' ', token.Scopes),
        ClientId = token.ClientId,
        TokenType = token.KeyThumbprint is null ? "Bearer" : "DPoP",
        Cnf = token.KeyThumbprint is { } thumbprint ? new(thumbprint) : null,
        Exp = token.ExpiresAt.ToUnixTimeSeconds(),
        Iat = token.IssuedAt.ToUnixTimeSeconds(),
        Sub = token.Subject,
        Aud = token.Audience,
        Iss = token.Issuer,
        Jti = token.Id,
        GrantId = token.GrantId,
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

        public Acting? Act { get; init; }

        public long? AuthTime { get; init; }

        public string? Acr { get; init; }

        public IReadOnlyList<System.Text.Json.JsonElement>? AuthorizationDetails { get; init; }
    }

    /// <summary>RFC 9449 §6.2: the resource server asks for a proof of this key.</summary>
    internal sealed record Confirmation(string Jkt);

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
