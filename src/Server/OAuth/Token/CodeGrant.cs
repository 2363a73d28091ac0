using System.Buffers;
using Postern.Audit;
using Postern.Grants;
using Postern.Identity.Sessions;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Token;

/// <summary>
/// The authorization code (OAuth 2.1 §4.1.3) with proof of possession of its verifier (RFC 7636 §4.5).
/// </summary>
internal sealed class CodeGrant(
    Codes codes, GrantBook grants, StandingAgreements standing, SessionStore sessions, TimeProvider clock) : IGrantType
{
    // RFC 7636 §4.1: 43 to 128 unreserved characters.
    private static readonly SearchValues<char> VerifierCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    public string Name => ClientMetadata.AuthorizationCode;

    public async ValueTask<Result<Redemption>> RedeemAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop)
    {
        if (CodeOf(request, presenter).Failed(out var error, out var code))
        {
            return error;
        }

        var known = await grants.FindAsync(presenter.Tenant.Id, code.Grant, stop);
        if (known is null && code.Repeat is { } repeat)
        {
            return await RepeatAsync(presenter.Tenant.Id, code, repeat, stop);
        }

        // The replay of a code ended its grant, so a third use ends here and consumes nothing.
        return known is not null && known.IsLive(clock.GetUtcNow())
            ? new Redemption(known, 0) { EntryKind = AuditKinds.TokenIssued, Nonce = code.Nonce }
            : OAuthError.InvalidGrant("the grant is over");
    }

    private Result<Codes.Code> CodeOf(TokenRequest request, Presenter presenter)
    {
        if (request.Code is null)
        {
            return OAuthError.InvalidRequest("code is missing.");
        }

        if (codes.Open(presenter.Tenant.Id, request.Code) is not { } code || !code.IsFor(presenter.Client.Id))
        {
            return OAuthError.InvalidGrant("code unknown, expired or another client's");
        }

        if (request.RedirectUri is { } sent && !code.WasSentTo(sent))
        {
            return OAuthError.InvalidGrant("redirect_uri differs from the authorization request");
        }

        if (!IsProven(code, request.CodeVerifier))
        {
            return OAuthError.InvalidGrant("code_verifier missing or wrong");
        }

        return code.IsHeldBy(presenter.Held)
            ? code
            : OAuthError.InvalidGrant("the code is bound to another key, or no proof came");
    }

    private static bool IsProven(Codes.Code code, string? verifier) =>
        verifier is { Length: >= 43 and <= 128 }
        && !verifier.AsSpan().ContainsAnyExcept(VerifierCharacters)
        && code.IsProvenBy(verifier);

    private async ValueTask<Result<Redemption>> RepeatAsync(
        TenantId tenant, Codes.Code code, Repeat repeat, CancellationToken stop)
    {
        if (await standing.MakeAsync(tenant, code.Grant, repeat, stop) is not { Grant: var grant, Begin: var begin })
        {
            return OAuthError.InvalidGrant("the agreement ended");
        }

        // What was agreed to for a session is not begun anew when that is over, or its end would not be told.
        return grant.Session is { } id
            && await sessions.FindAsync(tenant, id, stop) is { } session && session.IsLive(clock.GetUtcNow())
            ? new Redemption(grant, 0) { EntryKind = AuditKinds.TokenIssued, Nonce = code.Nonce, Begin = begin }
            : OAuthError.InvalidGrant("the person signed out");
    }
}
