using Postern.Approvals;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;

namespace Postern.OAuth.Token;

/// <summary>
/// Puts a token request off until a person has agreed (draft-ietf-oauth-deferred-token-response): the client gets a
/// code to come back with, and what the person makes of the question is all it will ever get.
/// </summary>
internal sealed class Deferrals(
    WishReader wishes, UserStore users, AskDesk asks, AskCodes codes, TimeProvider clock)
{
    /// <summary>How long the person has.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(3);

    /// <summary>The answer for now; another error when there is nothing to wait for.</summary>
    public async ValueTask<OAuthError> DeferAsync(
        TokenRequest request, Presenter presenter, string email, Resource resource, CancellationToken stop)
    {
        if (!request.CanBeDeferred)
        {
            return new("access_denied", "A person must agree first: ask with completion_mode deferred.");
        }

        if (CallbackOf(request, presenter.Client).Failed(out var error, out var told)
            || (await AskAsync(request, presenter, email, resource, stop)).Failed(out error, out var ask)
            || (await asks.PutAsync(ask, told.Callback)).Failed(out error, out ask))
        {
            return error;
        }

        return new("authorization_pending", "A person must agree first; come back with the code.")
        {
            Deferral = new(
                codes.Of(ask),
                (long)Math.Ceiling((ask.ExpiresAt - clock.GetUtcNow()).TotalSeconds),
                (long)PollPace.Interval.TotalSeconds),
        };
    }

    private async ValueTask<Result<Ask>> AskAsync(
        TokenRequest request, Presenter presenter, string email, Resource resource, CancellationToken stop)
    {
        var asked = wishes.Read(presenter, AskWay.Deferred, Lifetime, name => name switch
        {
            "scope" => request.Scopes?.ToString(),
            "resource" => resource.Value,
            "authorization_details" => request.Details?.ToString(),
            _ => null,
        });
        if (asked.Failed(out var error, out var ask))
        {
            return error;
        }

        return await users.FindByEmailAsync(presenter.Tenant.Id, email, stop) is { DisabledAt: null } user
            ? ask with { Subject = user.Id }
            : new OAuthError("access_denied", "Nobody can agree to this.") { Reason = "no such approver" };
    }

    private static Result<Told> CallbackOf(TokenRequest request, Client client) =>
        (request.NotificationToken, client.DeferredEndpoint) switch
        {
            (null, _) => new Told(null),
            (_, null) => OAuthError.InvalidRequest("The client has no deferred_client_notification_endpoint."),
            ({ } token, { } address) => Callback.IsToken(token)
                ? new Told(new(address, new(token)))
                : OAuthError.InvalidRequest(Callback.Expectation),
        };

    private sealed record Told(Callback? Callback);
}
