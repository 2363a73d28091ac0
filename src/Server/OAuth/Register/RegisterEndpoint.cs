using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Register;

/// <summary>
/// RFC 7591: a client registers itself. What it says of itself proves nothing, and how often it may is limited.
/// </summary>
internal sealed partial class RegisterEndpoint(
    Registrations registrations, Sectors sectors, Settings settings, TimeProvider clock, RandomNumberGenerator random)
{
    /// <summary>Characters of a generated identifier: 128 bits and more.</summary>
    private const int IdLength = 22;

    public static void Map(IEndpointRouteBuilder routes)
    {
        // Made now: from the start on it forgets clients that nobody let in, also when no other ever comes.
        _ = routes.ServiceProvider.GetRequiredService<Registrations>();
        routes.MapPost("/register", (HttpContext http, RegisterEndpoint register) => register.RegisterAsync(http))
            .Open()
            .AnyOrigin();
    }

    private async Task<IResult> RegisterAsync(HttpContext http)
    {
        if (!settings.DynamicRegistration)
        {
            return new OAuthError("access_denied", "Clients do not register themselves here.", 403).ToHttp();
        }

        if (await JsonBody.ReadAsync(http, ClientMetadata.MaxBytes) is not { } body)
        {
            return new OAuthError(
                "invalid_client_metadata", "Send client metadata as application/json, at most 16 KiB.").ToHttp();
        }

        if (ClientMetadata.Register(body, http.Tenant.Issuer).Failed(out var error, out var metadata))
        {
            return error.ToHttp();
        }

        if (await sectors.RefusalAsync(metadata, http.RequestAborted) is { } sector)
        {
            return sector.ToHttp();
        }

        var secret = metadata.AuthMethod is ClientMetadata.Basic or ClientMetadata.Post ? Secret.New(random) : null;
        var client = new Client
        {
            // Never the form of a metadata document's URL.
            Id = new("c_" + Secret.New(random).Reveal()[..IdLength]),
            Source = ClientSource.Dynamic,
            Name = metadata.Name ?? "Unnamed app",
            AuthMethods = [metadata.AuthMethod],
            SecretHash = secret?.Hash(),
            Jwks = metadata.Jwks,
            JwksUri = metadata.JwksUri,
            RedirectUris = metadata.RedirectUris,
            GrantTypes = metadata.GrantTypes,
            ScopeCap = metadata.Scope,
            OpenId = metadata.OpenId,
            RequiresDpop = metadata.DpopBoundAccessTokens,
            RequiresPush = metadata.RequiresPush,
            RequiresSignedRequest = metadata.RequiresSignedRequest,
            RequestSigningAlg = metadata.RequestSigningAlg,
        };
        return await registrations.AddAsync(http.Tenant.Id, client, SourceNetwork.Of(http)) is { } wait
            ? OAuthError.TooMany("Too many registrations; try again later.", wait).ToHttp()
            : Answer(http, client, metadata, secret);
    }

    // RFC 7591 §3.2.1, without nulls and with whole numbers: some clients read it strictly.
    private IResult Answer(HttpContext http, Client client, ClientMetadata metadata, Secret? secret)
    {
        http.Response.Headers.CacheControl = "no-store";
        var answer = JsonSerializer.SerializeToNode(
            new Registered(
                client.Id.Value,
                clock.GetUtcNow().ToUnixTimeSeconds(),
                secret?.Reveal(),
                secret is null ? null : 0,
                metadata.Name,
                client.RedirectUris,
                client.GrantTypes,
                client.GrantTypes.Contains(ClientMetadata.AuthorizationCode) ? ["code"] : [],
                metadata.AuthMethod,
                metadata.ApplicationType,
                metadata.Scope?.ToString(),
                metadata.JwksUri,
                metadata.DpopBoundAccessTokens ? true : null,
                metadata.RequiresPush ? true : null,
                metadata.RequiresSignedRequest ? true : null,
                metadata.RequestSigningAlg,
                metadata.AnswerSigningAlg),
            RegisterJson.Default.Registered)!.AsObject();
        foreach (var (name, value) in metadata.OpenId.ToJson() ?? [])
        {
            answer[name] = value?.DeepClone();
        }

        return Results.Text(
            answer.ToJsonString(), "application/json", statusCode: StatusCodes.Status201Created);
    }

    internal sealed record Registered(
        string ClientId,
        long ClientIdIssuedAt,
        string? ClientSecret,
        long? ClientSecretExpiresAt,
        string? ClientName,
        IReadOnlyList<string> RedirectUris,
        IReadOnlyList<string> GrantTypes,
        IReadOnlyList<string> ResponseTypes,
        string TokenEndpointAuthMethod,
        string ApplicationType,
        string? Scope,
        string? JwksUri,
        bool? DpopBoundAccessTokens,
        bool? RequirePushedAuthorizationRequests,
        bool? RequireSignedRequestObject,
        string? RequestObjectSigningAlg,
        string? AuthorizationSignedResponseAlg);

    [JsonSerializable(typeof(Registered))]
    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    private sealed partial class RegisterJson : JsonSerializerContext;
}
