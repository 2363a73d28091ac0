using System.Text.Json.Serialization;
using Microsoft.Extensions.Primitives;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;
using Postern.Platform.Http;
using Postern.Servers;

namespace Postern.OAuth.Push;

/// <summary>
/// RFC 9126: a client hands its request over itself, proves who it is before a person is involved, and sends the
/// browser with a reference in which nobody can read or change anything.
/// </summary>
internal sealed partial class PushEndpoint(
    ClientAuthenticator clients,
    PresenterProofs proofs,
    ServerBook servers,
    PushedRequests pushed,
    RequestObjects objects)
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/par", (HttpRequest http, PushEndpoint push, CancellationToken stop) => push.PushAsync(http, stop))
        .Open()
        .AnyOrigin()
        .AtBoth();

    private async Task<IResult> PushAsync(HttpRequest http, CancellationToken stop)
    {
        // RFC 9126 §2.3.
        const int tooLarge = StatusCodes.Status413PayloadTooLarge;
        if ((await Form.ReadAsync(http, stop, tooLarge)).Failed(out var error, out var form)
            || (await clients.AuthenticateAsync(http, form, stop)).Failed(out error, out var presenter)
            || (await proofs.ProveAsync(http, presenter, stop)).Failed(out error, out presenter)
            || (await ReadAsync(form, presenter, stop)).Failed(out error, out var request)
            || request.BoundTo(presenter).Failed(out error, out request)
            || Check(request, presenter).Failed(out error, out _))
        {
            return error.ToHttp();
        }

        http.HttpContext.Response.Headers.CacheControl = "no-store";
        return Results.Json(
            new(
                pushed.Seal(presenter.Tenant, presenter.Client, request),
                (long)PushedRequests.Lifetime.TotalSeconds),
            PushJson.Default.Answer,
            statusCode: StatusCodes.Status201Created);
    }

    private async ValueTask<Result<AuthorizeRequest>> ReadAsync(Form form, Presenter presenter, CancellationToken stop)
    {
        // RFC 9126 §2.1: one that refers to another would be a way around what is proven here.
        if (form["request_uri"] is not null)
        {
            return OAuthError.InvalidRequest("request_uri is what this endpoint answers, and nothing it takes.");
        }

        // RFC 9126 §3: what stands beside a signed request counts for nothing.
        if (form["request"] is { } text)
        {
            return await objects.ReadAsync(presenter.Tenant, presenter.Client, text, stop);
        }

        // The client is the one that proved itself, whether or not it also says so; its proof is no part of the
        // request.
        var asked = form.All.Where(field => AuthorizeRequest.Names.Contains(field.Key) && field.Key is not "client_id");
        return AuthorizeRequest.Parse(
            asked.Append(KeyValuePair.Create("client_id", new StringValues(presenter.Client.Id.Value))));
    }

    // RFC 9126 §2.1: all that the authorization endpoint would find wrong is wrong here already.
    private Result<ValidAuthorizeRequest> Check(AuthorizeRequest request, Presenter presenter)
    {
        if (ReturnAddress.Prove(request, presenter.Client, presenter.Tenant.Issuer).Failed(out var error, out _))
        {
            return error;
        }

        var server = servers.Meant(presenter.Tenant.Id, request.Resource);
        var offered = server is null ? Scopes.None : servers.Scopes(server);
        return ValidAuthorizeRequest.Check(request, presenter.Client, server, offered);
    }

    internal sealed record Answer(string RequestUri, long ExpiresIn);

    [JsonSerializable(typeof(Answer))]
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    private sealed partial class PushJson : JsonSerializerContext;
}
