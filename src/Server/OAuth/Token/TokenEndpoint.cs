using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;
using Postern.Platform.Http;

namespace Postern.OAuth.Token;

/// <summary>
/// OAuth 2.1 §3.2: turns what a client presents into tokens. Every grant type passes the same steps in the same order.
/// </summary>
internal static class TokenEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/token", TokenAsync).Open().AnyOrigin().AtBoth();

    private static async Task<IResult> TokenAsync(
        HttpRequest http,
        ClientAuthenticator clients,
        Workloads workloads,
        GrantTypes types,
        PresenterProofs proofs,
        SenderConstraint constraint,
        TokenIssuer issuer,
        CancellationToken stop)
    {
        if ((await Form.ReadAsync(http, stop)).Failed(out var error, out var form)
            || (await PresenterAsync(http, form, clients, workloads, stop)).Failed(out error, out var presenter)
            || TokenRequest.Parse(form).Failed(out error, out var request)
            || types.Find(request, presenter.Client).Failed(out error, out var way)
            || (await proofs.ProveAsync(http, presenter, stop)).Failed(out error, out presenter)
            || (await way.RedeemAsync(request, presenter, stop)).Failed(out error, out var redemption))
        {
            return error.ToHttp();
        }

        request = redemption.Granted is { } granted ? request.For(granted) : request;
        // Scope, resource and sender constraint are checked here for every way, so that no way can forget them. A
        // statement is for elsewhere, where other scopes and resources are and no server's demand of here counts.
        var excess = redemption.Statement is null ? request.Exceeds(redemption.Grant)
            : request.Details is null || redemption.Statement.Details is not null ? null
            : DetailCheck.Invalid("They are not said to others.");
        var unbound = redemption.Statement is null
            ? constraint.Refusal(redemption.Grant, presenter)
            : SenderConstraint.Refusal(presenter);
        if ((excess ?? unbound) is { } refusal)
        {
            return refusal.ToHttp();
        }

        return (await issuer.IssueAsync(redemption, request, presenter)).Failed(out error, out var tokens)
            ? error.ToHttp()
            : tokens;
    }

    private static ValueTask<Result<Presenter>> PresenterAsync(
        HttpRequest http, Form form, ClientAuthenticator clients, Workloads workloads, CancellationToken stop) =>
        Workloads.IsSpeaking(http, form)
            ? workloads.AuthenticateAsync(http, form, stop)
            : clients.AuthenticateAsync(http, form, stop);
}
