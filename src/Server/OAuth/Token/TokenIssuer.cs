using System.Diagnostics;
using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.OpenId;
using Postern.Platform;
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

        var grant = redemption.Grant;
        // A refresh that is repeated is answered with the same token, so that nobody gains one by repeating it.
        var id = redemption.Generation is { } shown and > 0
            ? families.TokenId(grant, shown + 1, request.Digest)
            : writer.NewId();
        // Of what was granted, as much as was asked for.
        var held = request.Details is { } asked && redemption.Statement is null ? grant.Within(asked)! : grant;
        var agent = agents.Of(grant.Tenant, grant.Client);
        var entry = new AuditEntry
        {
            Tenant = grant.Tenant,
            Kind = redemption.EntryKind,
            Action = request.GrantType,
            User = grant.IsOwn ? null : grant.Subject,
            Client = grant.Client,
            Agent = agent?.Id,
            Resource = grant.Resource.Value,
            Grant = held,
            Effect = "allow",
            TokenId = id,
            Network = presenter.Network,
        };

        var (refresh, rests, at) = ((string?)null, 0L, clock.GetUtcNow());
        if (redemption.Generation is not { } generation)
        {
            await audit.WriteAsync(entry);
        }
        else
        {
            await audit.PrepareAsync(grant.Tenant, grant.Subject);
            var another = writer.NewId();
            switch (await families.RotateAsync(
                grant,
                generation,
                presenter.HandFor(request.Digest, another),
                presenter.Client.At(presenter.Tenant).RefreshIdle,
                entry,
                redemption.IsPolled,
                redemption.Begin))
            {
                case Rotation.Moved moved:
                    (at, rests, id) = (moved.At, moved.IdleUntil, moved.IsKept ? another : id);
                    refresh = MayRefresh(grant, presenter.Client) ? families.Token(grant, moved.Generation) : null;
                    break;
                case Rotation.Expired:
                    return OAuthError.InvalidGrant("the token rested too long, or its grant has just ended");
                case Rotation.Foreign:
                    return OAuthError.InvalidGrant("the token is bound to another key, or no proof came");
                case Rotation.Reused:
                    return OAuthError.InvalidGrant("a one-time token was used again; its grant is over");
                default:
                    throw new UnreachableException();
            }
        }

        grants.NoteUse(grant);
        if (redemption.Statement is { } statement)
        {
            return await StateAsync(redemption, statement, id, presenter.Tenant);
        }

        Telemetry.Tokens.Add(1, new KeyValuePair<string, object?>("grant_type", request.GrantType));
        var scopes = request.Scopes ?? grant.Scopes;
        var expires = forms.Expires(presenter.Tenant, grant, at);
        expires = redemption.Until < expires ? redemption.Until.Value : expires;
        expires = agent?.EndsAt < expires ? agent.EndsAt : expires;
        var token = await forms.MakeAsync(new()
        {
            Tenant = presenter.Tenant,
            Grant = await subjects.NamedAsync(presenter.Tenant, presenter.Client, held, CancellationToken.None),
            Scopes = ScopesAt(presenter.Tenant, grant, scopes),
            Id = id,
            IssuedAt = at,
            ExpiresAt = expires,
            Holder = presenter.Holder,
            MayAct = presenter.Client.MayAct,
        });
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        return new IssuedTokens
        {
            AccessToken = token,
            IdToken = redemption.Generation is not null && scopes.Has(Scopes.OpenId)
                ? await ids.WriteAsync(presenter, grant, scopes, token, redemption.Nonce, CancellationToken.None)
                : null,
            Holder = presenter.Holder,
            IssuedTokenType = redemption.IssuedTokenType,
            ExpiresIn = expires.ToUnixTimeSeconds() - now,
            RefreshToken = refresh,
            // Left for the refresh token, and for what the person agreed to; the first never ends after the second.
            RefreshTimeout = refresh is null ? null : rests - now,
            AuthorizationExpiresIn = refresh is null ? null : grant.ExpiresAt.ToUnixTimeSeconds() - now,
            Scope = scopes,
            Grant = held,
        };
    }

    private async ValueTask<Result<IssuedTokens>> StateAsync(
        Redemption redemption, SignedStatement statement, string id, Tenant tenant)
    {
        var (grant, now) = (redemption.Grant, clock.GetUtcNow());
        var text = await jwt.WriteAsync(
            tenant.Id,
            statement.Type,
            SigningKey.Es256,
            json =>
            {
                json.WriteString("iss"u8, tenant.Issuer);
                json.WriteString("sub"u8, grant.Subject.Value);
                json.WriteString("aud"u8, statement.Audience);
                json.WriteString("scope"u8, statement.Scopes.ToString());
                json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
                json.WriteNumber("exp"u8, (now + statement.Life).ToUnixTimeSeconds());
                json.WriteString("jti"u8, id);
                statement.Claims(json);
            },
            CancellationToken.None);
        return new IssuedTokens
        {
            AccessToken = text,
            IsStatement = true,
            IssuedTokenType = redemption.IssuedTokenType,
            ExpiresIn = (long)statement.Life.TotalSeconds,
            RefreshToken = null,
            Scope = statement.Scopes,
            Grant = grant,
            Holder = null,
        };
    }

    // What opens UserInfo says so; at an MCP server who the person is cannot be asked.
    private static Scopes ScopesAt(Tenant tenant, Grant grant, Scopes scopes) =>
        (grant.Resource.Value == tenant.UserInfo ? scopes : scopes.Without(Scopes.Identity))
            .Without(Scopes.OfflineAccess);

    private static bool MayRefresh(Grant grant, Client client) =>
        !grant.IsOwn && grant.Actors.Count is 0 && client.GrantTypes.Contains(ClientMetadata.RefreshToken);
}
