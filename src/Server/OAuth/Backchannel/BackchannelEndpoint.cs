using System.Text.Json.Serialization;
using Postern.Approvals;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;
using Postern.OAuth.Requests;
using Postern.Platform.Http;

namespace Postern.OAuth.Backchannel;

/// <summary>
/// CIBA Core §7: a service asks a named person. Only clients that an operator registered may: whoever could register
/// itself would learn who has an account, and fill people's pages with questions.
/// </summary>
internal sealed partial class BackchannelEndpoint(
    BackchannelRequests requests,
    PresenterProofs proofs,
    WishReader wishes,
    UserStore users,
    OwnIdTokens hints,
    AskDesk asks,
    AskCodes codes,
    TimeProvider clock)
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(
        "/bc-authorize",
        (HttpRequest http, BackchannelEndpoint backchannel, ClientAuthenticator clients, CancellationToken stop) =>
            backchannel.AskAsync(http, clients, stop)).Open().AtBoth();

    private async Task<IResult> AskAsync(HttpRequest http, ClientAuthenticator clients, CancellationToken stop)
    {
        if ((await Form.ReadAsync(http, stop)).Failed(out var error, out var form)
            || (await clients.AuthenticateAsync(http, form, stop)).Failed(out error, out var presenter)
            || (await proofs.ProveAsync(http, presenter, stop)).Failed(out error, out presenter)
            || MembersOf(presenter.Client).Failed(out error, out var members)
            || (await requests.ReadAsync(presenter, form, stop)).Failed(out error, out var parameters)
            || BackchannelRequest.Check(parameters, members).Failed(out error, out var request)
            || (await WantedAsync(presenter, parameters, request, stop)).Failed(out error, out var ask)
            || (await asks.PutAsync(ask, request.Callback)).Failed(out error, out ask))
        {
            return error.ToHttp();
        }

        http.HttpContext.Response.Headers.CacheControl = "no-store";
        var life = (long)Math.Ceiling((ask.ExpiresAt - clock.GetUtcNow()).TotalSeconds);
        return Results.Json(
            new(codes.Of(ask), life, (long)PollPace.Interval.TotalSeconds), BackchannelJson.Default.Answer);
    }

    private static Result<BackchannelMembers> MembersOf(Client client) =>
        client is { Backchannel: { } members, IsVouchedFor: true, IsPublic: false }
            ? members
            : OAuthError.UnauthorizedClient("The client is not registered for this grant_type.");

    private async ValueTask<Result<Ask>> WantedAsync(
        Presenter presenter,
        BackchannelRequests.Parameters parameters,
        BackchannelRequest request,
        CancellationToken stop)
    {
        var asked = wishes.Read(presenter, AskWay.Backchannel, request.Life, name => parameters(name));
        if (asked.Failed(out var error, out var ask))
        {
            return error;
        }

        return await MeantAsync(presenter, request, stop) is { DisabledAt: null } user
            ? ask with
            {
                Wish = ask.Wish with { AcrValues = AcrOf(presenter.Client, parameters("acr_values")) },
                Subject = user.Id,
                Message = request.Message,
            }
            : new OAuthError("unknown_user_id", "Nobody of that name can be asked.");
    }

    // §7.1: by the address, or by an ID token that this client was given; that may have expired. A pairwise name says
    // nothing of whose it is.
    private async ValueTask<User?> MeantAsync(Presenter presenter, BackchannelRequest request, CancellationToken stop)
    {
        var (tenant, client) = (presenter.Tenant, presenter.Client);
        if (request.IdTokenHint is not { } text)
        {
            return await users.FindByEmailAsync(tenant.Id, request.LoginHint, stop);
        }

        return await hints.ReadAsync(tenant, text) is { } hint
            && hint.Client == client.Id.Value
            && client.OpenId.Sector is null
                ? await users.FindAsync(tenant.Id, new(hint.Subject), stop)
                : null;
    }

    // §7.1. Words that are not known ask for nothing.
    private static IReadOnlyList<string>? AcrOf(Client client, string? asked) =>
        (asked?.Split(' ') ?? client.OpenId.DefaultAcrValues).Where(Acr.All.Contains).Distinct(StringComparer.Ordinal)
            .ToList() is { Count: > 0 } known ? known : null;

    internal sealed record Answer(string AuthReqId, long ExpiresIn, long Interval);

    [JsonSerializable(typeof(Answer))]
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    private sealed partial class BackchannelJson : JsonSerializerContext;
}
