using System.Text.Json.Serialization;
using Postern.Approvals;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;
using Postern.Platform.Configuration;
using Postern.Platform.Http;

namespace Postern.OAuth.Device;

/// <summary>RFC 8628 §3.1: a device asks for a code to show, and for one to come back with.</summary>
internal sealed partial class DeviceEndpoint(
    WishReader wishes,
    PresenterProofs proofs,
    AskDesk asks,
    AskCodes codes,
    Settings settings)
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(
        "/device_authorization",
        (HttpRequest http, DeviceEndpoint device, ClientAuthenticator clients, CancellationToken stop) =>
            device.OfferAsync(http, clients, stop)).Open().AnyOrigin().AtBoth();

    private async Task<IResult> OfferAsync(HttpRequest http, ClientAuthenticator clients, CancellationToken stop)
    {
        if (!settings.DeviceFlow)
        {
            return new OAuthError("access_denied", "Nobody is asked by a code here.", 403).ToHttp();
        }

        if ((await Form.ReadAsync(http, stop)).Failed(out var error, out var form)
            || (await clients.AuthenticateAsync(http, form, stop)).Failed(out error, out var presenter)
            || (await proofs.ProveAsync(http, presenter, stop)).Failed(out error, out presenter)
            || Wanted(presenter, form).Failed(out error, out var ask)
            || (await asks.OfferAsync(ask)).Failed(out error, out ask))
        {
            return error.ToHttp();
        }

        http.HttpContext.Response.Headers.CacheControl = "no-store";
        return Results.Json(AnswerOf(presenter.Tenant, ask), DeviceJson.Default.Answer);
    }

    private Result<Ask> Wanted(Presenter presenter, Form form)
    {
        if (!presenter.Client.GrantTypes.Contains(ClientMetadata.DeviceCode))
        {
            return OAuthError.UnauthorizedClient("The client is not registered for this grant_type.");
        }

        // Whoever sees the code of a client that proves nothing else could fetch the answer with a key of their own.
        if (presenter is { Client: { IsPublic: true, RequiresDpop: true }, Holder: null })
        {
            return new OAuthError(
                "invalid_dpop_proof", "The tokens of this client are bound to a key: send a DPoP proof.");
        }

        return wishes.Read(presenter, AskWay.Device, AskDesk.Lifetime, name => form[name]);
    }

    private Answer AnswerOf(Tenant tenant, Ask ask)
    {
        var (code, page) = (UserCode.Shown(ask.UserCode!), tenant.Address("/device"));
        return new(
            codes.Of(ask),
            code,
            page,
            $"{page}?user_code={code}",
            (long)AskDesk.Lifetime.TotalSeconds,
            (long)PollPace.Interval.TotalSeconds);
    }

    internal sealed record Answer(
        string DeviceCode,
        string UserCode,
        string VerificationUri,
        string VerificationUriComplete,
        long ExpiresIn,
        long Interval);

    [JsonSerializable(typeof(Answer))]
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    private sealed partial class DeviceJson : JsonSerializerContext;
}
