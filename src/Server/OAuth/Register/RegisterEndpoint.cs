using System.Security.Cryptography;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Register;

/// <summary>
/// RFC 7591: a client registers itself. What it says of itself proves nothing, and how often it may is limited.
/// </summary>
internal sealed class RegisterEndpoint(
    Registrations registrations,
    Sectors sectors,
    AuthMethods methods,
    Settings settings,
    TimeProvider clock,
    RandomNumberGenerator random)
{
    public const string Path = "/register";

    // Never the form of a metadata document's URL.
    private const string IdPrefix = "c_";

    /// <summary>Characters of a generated identifier: 128 bits and more.</summary>
    private const int IdLength = 22;

    public static readonly OAuthError NotJson =
        new("invalid_client_metadata", "Send client metadata as application/json, at most 16 KiB.");

    public static void Map(IEndpointRouteBuilder routes)
    {
        // Made now: from the start on it forgets clients that nobody let in, also when no other ever comes.
        _ = routes.ServiceProvider.GetRequiredService<Registrations>();
        routes.MapPost(Path, (HttpContext http, RegisterEndpoint register) => register.RegisterAsync(http))
            .Open()
            .AnyOrigin();
    }

    /// <summary>Whether it has the form of an identifier that a registration made.</summary>
    public static bool IsId(string text) =>
        text.Length == IdPrefix.Length + IdLength && text.StartsWith(IdPrefix, StringComparison.Ordinal);

    private async Task<IResult> RegisterAsync(HttpContext http)
    {
        if (!settings.DynamicRegistration)
        {
            return new OAuthError("access_denied", "Clients do not register themselves here.", 403).ToHttp();
        }

        if (await JsonBody.ReadAsync(http, ClientMetadata.MaxBytes) is not { } body)
        {
            return NotJson.ToHttp();
        }

        if (ClientMetadata.Register(body, http.Tenant.Issuer, methods).Failed(out var error, out var metadata))
        {
            return error.ToHttp();
        }

        if (await sectors.RefusalAsync(metadata, SourceNetwork.Of(http), http.RequestAborted) is { } sector)
        {
            return sector.ToHttp();
        }

        var (secret, token) = (metadata.NeedsSecret ? Secret.New(random) : null, Secret.New(random));
        var id = new ClientId(IdPrefix + Secret.New(random).Reveal()[..IdLength]);
        var client = Client.Of(id, ClientSource.Dynamic, metadata) with
        {
            SecretHash = secret?.Hash(),
            RegistrationHash = token.Hash(),
            FirstSeen = clock.GetUtcNow(),
        };
        return await registrations.AddAsync(http.Tenant.Id, client, SourceNetwork.Of(http)) is { } wait
            ? OAuthError.TooMany("Too many registrations; try again later.", wait).ToHttp()
            : Registered.Of(http.Tenant, client, token, secret).ToHttp(http, client, StatusCodes.Status201Created);
    }
}
