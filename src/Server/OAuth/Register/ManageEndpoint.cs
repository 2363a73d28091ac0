using System.Security.Cryptography;
using System.Text.Json;
using Postern.AspNetCore.Challenges;
using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Register;

/// <summary>
/// RFC 7592: a client that registered itself reads, replaces or removes its registration, by the token it was given
/// for that. A token that is wrong and a client that is not there are answered alike.
/// </summary>
internal sealed class ManageEndpoint(
    ClientStore store,
    Registrations registrations,
    Sectors sectors,
    AuthMethods methods,
    GrantBook grants,
    Switches switches,
    Db db,
    AuditLog audit,
    RandomNumberGenerator random)
{
    /// <summary>How long the secret before the present one stays good.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromDays(1);

    // RFC 7592 §2.2: what only the server says is not sent back to it.
    private static readonly string[] ServersOwn =
    [
        "registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at",
    ];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var managed = routes.MapGroup(RegisterEndpoint.Path + "/{id}").Open().AnyOrigin();
        managed.MapGet("", (HttpContext http, string id, ManageEndpoint manage) => manage.ReadAsync(http, id));
        managed.MapPut("", (HttpContext http, string id, ManageEndpoint manage) => manage.ReplaceAsync(http, id));
        managed.MapPost(
            "/secret", (HttpContext http, string id, ManageEndpoint manage) => manage.RotateAsync(http, id));
        managed.MapDelete("", (HttpContext http, string id, ManageEndpoint manage) => manage.RemoveAsync(http, id));
    }

    private async Task<IResult> ReadAsync(HttpContext http, string id) =>
        await ProvenAsync(http, id) is { } proven
            ? Registered.Of(http.Tenant, proven.Client, proven.Token, null)
                .ToHttp(http, proven.Client, StatusCodes.Status200OK)
            : Stranger.Result;

    private async Task<IResult> ReplaceAsync(HttpContext http, string id)
    {
        if (await ProvenAsync(http, id) is not { } proven)
        {
            return Stranger.Result;
        }

        if (await JsonBody.ReadAsync(http, ClientMetadata.MaxBytes) is not { } body)
        {
            return RegisterEndpoint.NotJson.ToHttp();
        }

        if (ClientMetadata.Register(body, http.Tenant.Issuer, methods).Failed(out var error, out var metadata)
            || (error = Disagreement(body, proven.Client)) is not null)
        {
            return error.ToHttp();
        }

        if (await sectors.RefusalAsync(metadata, SourceNetwork.Of(http), http.RequestAborted) is { } sector)
        {
            return sector.ToHttp();
        }

        var secret = metadata.NeedsSecret && proven.Client.SecretHash is null ? Secret.New(random) : null;
        // §3: who proves itself otherwise from now on manages itself by another token as well. Whoever else had the
        // former one, with what it proved itself by before, has neither.
        var token = proven.Client.AuthMethods.Contains(metadata.AuthMethod) ? proven.Token : Secret.New(random);
        var replaced = Client.Of(proven.Client.Id, ClientSource.Dynamic, metadata) with
        {
            SecretHash = metadata.NeedsSecret ? secret?.Hash() ?? proven.Client.SecretHash : null,
            PassingSecrets = metadata.NeedsSecret ? proven.Client.PassingSecrets : [],
            RegistrationHash = token.Hash(),
            FirstSeen = proven.Client.FirstSeen,
        };
        var refused = await registrations.ReplaceAsync(
            http.Tenant.Id, proven.Client, replaced, SourceNetwork.Of(http));
        return refused is { } refusal
            ? refusal.ToHttp()
            : Registered.Of(http.Tenant, replaced, token, secret)
                .ToHttp(http, replaced, StatusCodes.Status200OK);
    }

    // Another secret: RFC 7592 lets the server change it, and knows no way to ask for that. The one before stays good
    // for a day, so that every copy of the client can be given the new one.
    private async Task<IResult> RotateAsync(HttpContext http, string id)
    {
        if (await ProvenAsync(http, id) is not { } proven)
        {
            return Stranger.Result;
        }

        if (proven.Client.SecretHash is null)
        {
            return OAuthError.InvalidRequest("The client has no secret.").ToHttp();
        }

        var fresh = Secret.New(random);
        var rotated = await registrations.RotateAsync(
            http.Tenant.Id, proven.Client, fresh.Hash(), Overlap, SourceNetwork.Of(http));
        return rotated is { } refusal
            ? refusal.ToHttp()
            : Registered.Of(http.Tenant, proven.Client, proven.Token, fresh)
                .ToHttp(http, proven.Client, StatusCodes.Status200OK);
    }

    private async Task<IResult> RemoveAsync(HttpContext http, string id)
    {
        if (await ProvenAsync(http, id) is not { Client: var client })
        {
            return Stranger.Result;
        }

        var by = new AuditEntry
        {
            Tenant = http.Tenant.Id,
            Kind = AuditKinds.ClientRemoved,
            Client = client.Id,
            Reason = "removed by itself",
            Network = SourceNetwork.Of(http),
        };
        // The client first, so that nobody lets it in between; a removal that is cut off leaves grants without a
        // client.
        await db.WriteAsync(async unit =>
        {
            if (await ClientStore.RemoveAsync(unit, http.Tenant.Id, client.Id) is 1)
            {
                unit.Announce(ClientBook.Kind, http.Tenant.Id, client.Id.Value);
                audit.Write(unit, by);
            }
        });
        await grants.RevokeAllAsync(
            http.Tenant.Id, new GrantsOf.Client(client.Id), by with { Kind = AuditKinds.GrantRevoked });
        return Results.NoContent();
    }

    // Read from the database each time: this is rare, and a removed client is gone at once.
    private async ValueTask<Proven?> ProvenAsync(HttpContext http, string id)
    {
        if (PresentedToken.Read(http.Request, out var text, out var isDpop) is not null || isDpop || text.IsEmpty)
        {
            return null;
        }

        var token = new Secret(text.ToString());
        return RegisterEndpoint.IsId(id)
            && await store.FindAsync(http.Tenant.Id, new(id), http.RequestAborted) is
            { RegistrationHash: { } hash } client
            && token.Matches(hash)
            && switches.WhyOff(http.Tenant.Id, client.Id) is null
                ? new(client, token)
                : null;
    }

    // §2.2: it names itself, does not choose its secret, and does not say what only the server says. What is here was
    // read strictly before, as metadata.
    private static OAuthError? Disagreement(ReadOnlyMemory<byte> body, Client client)
    {
        using var document = JsonDocument.Parse(body);
        var root = document.RootElement;
        if (!root.TryGetProperty("client_id", out var id)
            || id.ValueKind is not JsonValueKind.String
            || !id.ValueEquals(client.Id.Value))
        {
            return new("invalid_client_metadata", "client_id must be there and name this client.");
        }

        if (Array.Find(ServersOwn, name => root.TryGetProperty(name, out _)) is { } own)
        {
            return new("invalid_client_metadata", $"{own} is not the client's to say.");
        }

        return root.TryGetProperty("client_secret", out var secret) && !IsSecretOf(client, secret)
            ? new("invalid_client_metadata", "client_secret must be the one that is in use, or be left out.")
            : null;
    }

    private static bool IsSecretOf(Client client, JsonElement value) =>
        client.SecretHash is { } hash
        && value.ValueKind is JsonValueKind.String
        && new Secret(value.GetString()!).Matches(hash);

    private sealed record Proven(Client Client, Secret Token);

    /// <summary>§2: whoever is not proven learns nothing, not even whether there is such a client.</summary>
    private sealed class Stranger : IResult
    {
        public static readonly Stranger Result = new();

        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = StatusCodes.Status401Unauthorized;
            httpContext.Response.Headers.CacheControl = "no-store";
            // RFC 6750 §3.1: who brought nothing is told of no error.
            httpContext.Response.Headers.WWWAuthenticate = httpContext.Request.Headers.Authorization.Count is 0
                ? "Bearer"
                : "Bearer error=\"invalid_token\"";
            return Task.CompletedTask;
        }
    }
}
