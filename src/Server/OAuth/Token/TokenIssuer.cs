using System.Diagnostics;
using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;
using Postern.Platform;
using Postern.Platform.Database;
using Postern.Platform.Keys;

namespace Postern.OAuth.Token;

/// <summary>
/// The only maker of tokens. It consumes what was presented and writes the entry in one transaction, and only when that
/// is durable does a token leave.
/// </summary>
internal sealed class TokenIssuer(
    AccessTokenWriter writer,
    TokenForms forms,
    JwtWriter jwt,
    IdTokens ids,
    Subjects subjects,
    Families families,
    GrantBook grants,
    Switches switches,
    AgentBook agents,
    AuditLog audit,
    Db db,
    TimeProvider clock)
{
    public async ValueTask<Result<IssuedTokens>> IssueAsync(
        Redemption redemption, TokenRequest request, Presenter presenter)
    {
        // T052: once for all grant types, the last thing before something is used up.
        if (await switches.WhyOffAsync(redemption.Grant, presenter.Client.Id, CancellationToken.None) is { } off)
        {
            return OAuthError.InvalidGrant(off);
        }

        var entry = EntryOf(redemption, request, presenter);
        if (redemption.Statement is { } statement)
        {
            return await StateAsync(redemption, statement, entry, presenter.Tenant);
        }

        // What may be refused or away is asked for first, so that nothing is used up for an answer that is not made.
        var draft = await DraftAsync(redemption, request, presenter, entry);
        if ((await CommitAsync(redemption, request, presenter, entry, draft)).Failed(out var error, out var made))
        {
            return error;
        }

        grants.NoteUse(redemption.Grant);
        Telemetry.Tokens.Add(1, new KeyValuePair<string, object?>("grant_type", request.GrantType));
        return Answer(redemption, presenter, entry.Grant!, draft, made);
    }

    private AuditEntry EntryOf(Redemption redemption, TokenRequest request, Presenter presenter)
    {
        var grant = redemption.Grant;
        return new()
        {
            Tenant = grant.Tenant,
            Kind = redemption.EntryKind,
            Action = request.GrantType,
            User = grant.IsOwn ? null : grant.Subject,
            Client = grant.Client,
            Agent = agents.Of(grant.Tenant, grant.Client)?.Id,
            Resource = grant.Resource.Value,
            // Of what was granted, as much as was asked for.
            Grant = request.Details is { } asked && redemption.Statement is null ? grant.Within(asked)! : grant,
            Effect = "allow",
            // A refresh that is repeated is answered with the same token, so that nobody gains one by repeating it.
            TokenId = redemption.Generation is { } shown and > 0
                ? families.TokenId(grant, shown + 1, request.Digest)
                : writer.NewId(),
            Network = presenter.Network,
        };
    }

    private async ValueTask<Draft> DraftAsync(
        Redemption redemption, TokenRequest request, Presenter presenter, AuditEntry entry)
    {
        var (grant, tenant) = (redemption.Grant, presenter.Tenant);
        var scopes = request.Scopes ?? grant.Scopes;
        var named = await subjects.NamedAsync(tenant, presenter.Client, entry.Grant!, CancellationToken.None);
        var (reference, at, ends) = (
            forms.NewReference(grant), ScopesAt(tenant, grant, scopes), agents.Of(grant.Tenant, grant.Client)?.EndsAt);
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
    private async ValueTask<Result<Made>> CommitAsync(
        Redemption redemption, TokenRequest request, Presenter presenter, AuditEntry entry, Draft draft)
    {
        var grant = redemption.Grant;
        if (redemption.Generation is not { } generation)
        {
            return await RecordAsync(entry, draft.Content(entry.TokenId!, clock.GetUtcNow()));
        }

        await audit.PrepareAsync(grant.Tenant, grant.Subject);
        var (another, content) = (writer.NewId(), default(TokenContent));
        return await families.RotateAsync(
            grant,
            generation,
            presenter.HandFor(request.Digest, another),
            presenter.Client.At(presenter.Tenant).RefreshIdle,
            entry,
            redemption.IsPolled,
            redemption.Begin,
            // The unit that runs last is the one that is committed.
            async (unit, moved) => content = await forms.KeepAsync(
                unit, draft.Content(moved.IsKept ? another : entry.TokenId!, moved.At))) switch
        {
            Rotation.Moved moved => new Made(content, moved),
            Rotation.Expired =>
                OAuthError.InvalidGrant("the token rested too long, or its grant has just ended"),
            Rotation.Foreign => OAuthError.InvalidGrant("the token is bound to another key, or no proof came"),
            Rotation.Reused => OAuthError.InvalidGrant("a one-time token was used again; its grant is over"),
            _ => throw new UnreachableException(),
        };
    }

    private async ValueTask<Made> RecordAsync(AuditEntry entry, TokenContent content)
    {
        if (!forms.AreKept(content.Grant))
        {
            // Signed while the disk is waited for. If the entry is not kept, nobody gets to see it.
            var kept = audit.WriteAsync(entry);
            var token = forms.Write(content);
            await kept;
            return new(content, null, token);
        }

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
            Holder = presenter.Holder,
            IssuedTokenType = redemption.IssuedTokenType,
            ExpiresIn = made.Content.ExpiresAt.ToUnixTimeSeconds() - now,
            RefreshToken = moved is null ? null : families.Token(grant, moved.Generation),
            // Left for the refresh token, and for what the person agreed to; the first never ends after the second.
            RefreshTimeout = moved?.IdleUntil - now,
            AuthorizationExpiresIn = moved is null ? null : grant.ExpiresAt.ToUnixTimeSeconds() - now,
            Scope = draft.Scopes,
            Grant = held,
        };
    }

    // For a statement nothing is used up.
    private async ValueTask<Result<IssuedTokens>> StateAsync(
        Redemption redemption, SignedStatement statement, AuditEntry entry, Tenant tenant)
    {
        var now = clock.GetUtcNow();
        var text = await jwt.WriteAsync(
            tenant.Id,
            statement.Type,
            SigningKey.Es256,
            json =>
            {
                json.WriteString("iss"u8, tenant.Issuer);
                json.WriteString("sub"u8, statement.Subject);
                json.WriteString("aud"u8, statement.Audience);
                json.WriteString("scope"u8, statement.Scopes.ToString());
                json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
                json.WriteNumber("exp"u8, (now + statement.Life).ToUnixTimeSeconds());
                json.WriteString("jti"u8, entry.TokenId);
                AccessTokenWriter.WriteDetails(json, statement.Details);
                statement.Claims(json);
            },
            CancellationToken.None);
        await audit.WriteAsync(entry);
        grants.NoteUse(redemption.Grant);
        return new IssuedTokens
        {
            AccessToken = text,
            IsStatement = true,
            Stated = statement.Details,
            IssuedTokenType = redemption.IssuedTokenType,
            ExpiresIn = (long)statement.Life.TotalSeconds,
            RefreshToken = null,
            Scope = statement.Scopes,
            Grant = redemption.Grant,
            Holder = null,
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
        Scopes Scopes, Func<string, DateTimeOffset, TokenContent> Content, Func<string, string>? IdToken);

    /// <summary>
    /// What is durable; where nothing was used up, without its line. The token, where it could be signed meanwhile.
    /// </summary>
    private sealed record Made(TokenContent Content, Rotation.Moved? Moved, string? Token = null);
}
