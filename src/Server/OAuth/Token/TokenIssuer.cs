using System.Diagnostics;
using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;
using Postern.Platform;
using Postern.Platform.Database;

namespace Postern.OAuth.Token;

/// <summary>
/// The only maker of tokens that open something here. It consumes what was presented and writes the entry in one
/// transaction, and only when that is durable does a token leave.
/// </summary>
internal sealed class TokenIssuer(
    AccessTokenWriter writer,
    TokenForms forms,
    IdTokens ids,
    Subjects subjects,
    RefreshTokens texts,
    Families families,
    GrantBook grants,
    AgentBook agents,
    AuditLog audit,
    Db db,
    TimeProvider clock)
{
    public async ValueTask<Result<IssuedTokens>> IssueAsync(
        Redemption redemption, TokenRequest request, Presenter presenter)
    {
        var agent = agents.Of(redemption.Grant.Tenant, redemption.Grant.Client);
        var entry = EntryOf(redemption, request, presenter, agent);
        // What may be refused or away is asked for first, so that nothing is used up for an answer that is not made.
        var draft = await DraftAsync(redemption, request, presenter, entry.Grant!, agent?.EndsAt);
        var committed = redemption.Generation is { } generation
            ? await MoveAsync(generation, redemption, request, presenter, entry, draft)
            : await RecordAsync(entry, draft.Content(entry.TokenId!, clock.GetUtcNow()));
        if (committed.Failed(out var error, out var made))
        {
            return error;
        }

        grants.NoteUse(redemption.Grant);
        Telemetry.Tokens.Add(1, new KeyValuePair<string, object?>("grant_type", request.GrantType));
        return Answer(redemption, presenter, entry.Grant!, draft, made);
    }

    private AuditEntry EntryOf(Redemption redemption, TokenRequest request, Presenter presenter, Agent? agent)
    {
        var grant = redemption.Grant;
        var held = request.Details is { } asked ? grant.Within(asked)! : grant;
        // A refresh that is repeated is answered with the same token, so that nobody gains one by repeating it.
        var tokenId = redemption.Generation is { } shown and > 0
            ? texts.NameBeside(grant, shown + 1, request.Digest)
            : writer.NewId();
        return redemption.EntryOf(request, presenter, agent, held, tokenId);
    }

    private async ValueTask<Draft> DraftAsync(
        Redemption redemption, TokenRequest request, Presenter presenter, Grant held, DateTimeOffset? ends)
    {
        var (grant, tenant) = (redemption.Grant, presenter.Tenant);
        var scopes = request.Scopes ?? grant.Scopes;
        var named = await subjects.NamedAsync(tenant, presenter.Client, held, CancellationToken.None);
        var (reference, at) = (forms.NewReference(grant), ScopesAt(tenant, grant, scopes));
        var idToken = redemption.Generation is not null && scopes.Has(Scopes.OpenId)
            ? await ids.PrepareAsync(presenter, grant, scopes, redemption.Nonce, CancellationToken.None)
            : null;
        return new(scopes, Content, idToken);

        TokenContent Content(string id, DateTimeOffset time)
        {
            var expires = forms.Expires(tenant, grant, time);
            expires = redemption.Until < expires ? redemption.Until.Value : expires;
            return new()
            {
                Tenant = tenant,
                Grant = named,
                Scopes = at,
                Id = id,
                IssuedAt = time,
                ExpiresAt = ends < expires ? ends.Value : expires,
                Holder = presenter.Holder,
                Reference = reference,
                MayAct = presenter.Client.MayAct,
                Ancestors = redemption.Ancestors,
            };
        }
    }

    // What was presented, the entry, and what the token leaves in the database: all of it or nothing.
    private async ValueTask<Result<Made>> MoveAsync(
        long generation,
        Redemption redemption,
        TokenRequest request,
        Presenter presenter,
        AuditEntry entry,
        Draft draft)
    {
        var grant = redemption.Grant;
        await audit.PrepareAsync(grant.Tenant, grant.Subject);
        var (another, content) = (writer.NewId(), default(TokenContent));
        var (hand, idle) = (
            presenter.HandFor(request.Digest, another), presenter.Client.At(presenter.Tenant).RefreshIdle);
        return await families.RotateAsync(new(grant, generation, hand, idle, entry)
        {
            IsPolled = redemption.IsPolled,
            Begin = redemption.Begin,
            // The unit that runs last is the one that is committed.
            Keep = async (unit, moved) => content = await forms.KeepAsync(
                unit, draft.Content(moved.IsKept ? another : entry.TokenId!, moved.At)),
        }) switch
        {
            Rotation.Moved moved => new Made(content, moved),
            Rotation.Expired =>
                OAuthError.InvalidGrant("the token rested too long, or its grant has just ended"),
            Rotation.Foreign => OAuthError.InvalidGrant("the token is bound to another key, or no proof came"),
            Rotation.Reused => OAuthError.InvalidGrant("a one-time token was used again; its grant is over"),
            _ => throw new UnreachableException(),
        };
    }

    private async ValueTask<Result<Made>> RecordAsync(AuditEntry entry, TokenContent content)
    {
        if (forms.AreKept(content.Grant))
        {
            return await KeepAsync(entry, content);
        }

        // Signed while the disk is waited for. If the entry is not kept, nobody gets to see it.
        var kept = audit.WriteAsync(entry);
        var token = forms.Write(content);
        await kept;
        return new Made(content, null, token);
    }

    private async ValueTask<Made> KeepAsync(AuditEntry entry, TokenContent content)
    {
        if (entry.User is { } user)
        {
            await audit.PrepareAsync(entry.Tenant, user);
        }

        return new(
            await db.WriteAsync(async unit =>
            {
                audit.Write(unit, entry);
                return await forms.KeepAsync(unit, content);
            }),
            null);
    }

    private IssuedTokens Answer(
        Redemption redemption, Presenter presenter, Grant held, Draft draft, Made made)
    {
        var (grant, now) = (redemption.Grant, clock.GetUtcNow().ToUnixTimeSeconds());
        var moved = MayRefresh(grant, presenter.Client) ? made.Moved : null;
        var token = made.Token ?? forms.Write(made.Content);
        return new()
        {
            AccessToken = token,
            IdToken = draft.IdToken?.Invoke(token),
            TokenType = presenter.Holder?.TokenType ?? "Bearer",
            IssuedTokenType = redemption.IssuedTokenType,
            ExpiresIn = made.Content.ExpiresAt.ToUnixTimeSeconds() - now,
            RefreshToken = moved is null ? null : texts.Of(grant, moved.Generation),
            // Left for the refresh token, and for what the person agreed to; the first never ends after the second.
            RefreshTimeout = moved?.IdleUntil - now,
            AuthorizationExpiresIn = moved is null ? null : grant.ExpiresAt.ToUnixTimeSeconds() - now,
            Scope = draft.Scopes,
            Details = held.Told,
        };
    }

    // What opens UserInfo says so; at an MCP server who the person is cannot be asked.
    private static Scopes ScopesAt(Tenant tenant, Grant grant, Scopes scopes) =>
        (grant.Resource.Value == tenant.UserInfo ? scopes : scopes.Without(Scopes.Identity))
            .Without(Scopes.OfflineAccess);

    private static bool MayRefresh(Grant grant, Client client) =>
        !grant.IsOwn && grant.Actors.Count is 0 && client.GrantTypes.Contains(ClientMetadata.RefreshToken);

    /// <summary>All of a token but its name and its time, which are known when it is this caller's to have.</summary>
    private sealed record Draft(
        Scopes Scopes, Func<string, DateTimeOffset, TokenContent> Content, Func<byte[], string>? IdToken);

    /// <summary>
    /// What is durable; where nothing was used up, without its line. The token, where it could be signed meanwhile.
    /// </summary>
    private sealed record Made(TokenContent Content, Rotation.Moved? Moved, byte[]? Token = null);
}
