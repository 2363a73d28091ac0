using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;
using Postern.Platform.Http;

namespace Postern.OAuth.Token;

/// <summary>
/// OAuth 2.1 §3.2: turns what a client presents into tokens. Every grant type passes the same steps in the same order.
/// </summary>
internal sealed class TokenEndpoint(
    ClientAuthenticator clients,
    Workloads workloads,
    GrantTypes types,
    PresenterProofs proofs,
    SenderConstraint constraint,
    Switches switches,
    TokenIssuer tokens,
    StatementIssuer statements)
{
    // The busiest door: what it needs is bound once, and not for each request.
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/token", routes.ServiceProvider.GetRequiredService<TokenEndpoint>().AnswerAsync)
        .Open().AnyOrigin().AtBoth();

    private async Task AnswerAsync(HttpContext http) =>
        await (await TokenAsync(http.Request, http.RequestAborted)).ExecuteAsync(http);

    private async ValueTask<IResult> TokenAsync(HttpRequest http, CancellationToken stop)
    {
        if ((await Form.ReadAsync(http, stop)).Failed(out var error, out var form)
            || (await PresenterAsync(http, form, stop)).Failed(out error, out var presenter)
            || TokenRequest.Parse(form).Failed(out error, out var request)
            || types.Find(request, presenter.Client).Failed(out error, out var way)
            || (await proofs.ProveAsync(http, presenter, stop)).Failed(out error, out presenter)
            || (await way.RedeemAsync(request, presenter, stop)).Failed(out error, out var redemption))
        {
            return error.ToHttp();
        }

        request = redemption.Granted is { } granted ? request.For(granted) : request;
        if (await RefusalAsync(redemption, request, presenter) is { } refusal)
        {
            return refusal.ToHttp();
        }

        var issued = redemption.Statement is { } statement
            ? await statements.IssueAsync(statement, redemption, request, presenter)
            : await tokens.IssueAsync(redemption, request, presenter);
        return issued.Failed(out error, out var answer) ? error.ToHttp() : answer;
    }

    // Scope, resource, sender constraint and switches are checked here for every way, so that no way can forget them.
    // A statement is for elsewhere, where other scopes and resources are and no server's demand of here counts.
    private async ValueTask<OAuthError?> RefusalAsync(Redemption redemption, TokenRequest request, Presenter presenter)
    {
        var refusal = redemption.Statement is { } statement
            ? statement.Refusal(request) ?? SenderConstraint.Refusal(presenter)
            : request.Exceeds(redemption.Grant) ?? constraint.Refusal(redemption.Grant, presenter);
        if (refusal is not null)
        {
            return refusal;
        }

        // T052: once for all grant types, the last thing before a line is moved or a token made. An assertion is used
        // up by then, and the grant that stands on it made.
        return await switches.WhyOffAsync(redemption.Grant, presenter.Client.Id, CancellationToken.None) is { } off
            ? OAuthError.InvalidGrant(off)
            : null;
    }

    private ValueTask<Result<Presenter>> PresenterAsync(HttpRequest http, Form form, CancellationToken stop) =>
        Workloads.IsSpeaking(http, form)
            ? workloads.AuthenticateAsync(http, form, stop)
            : clients.AuthenticateAsync(http, form, stop);
}
