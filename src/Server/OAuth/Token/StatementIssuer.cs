using System.Text;
using System.Text.Json;
using Postern.Audit;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.OAuth.ClientAuth;
using Postern.Platform;
using Postern.Platform.Keys;

namespace Postern.OAuth.Token;

/// <summary>
/// Signs what is issued for elsewhere instead of an access token. Nothing is used up for it; its entry is durable
/// before it leaves.
/// </summary>
internal sealed class StatementIssuer(
    AccessTokenWriter names, JwtWriter jwt, GrantBook grants, AgentBook agents, AuditLog audit, TimeProvider clock)
{
    public async ValueTask<Result<IssuedTokens>> IssueAsync(
        SignedStatement statement, Redemption redemption, TokenRequest request, Presenter presenter)
    {
        var (grant, tenant, name, now) = (redemption.Grant, presenter.Tenant, names.NewId(), clock.GetUtcNow());
        var agent = agents.Of(grant.Tenant, grant.Client);
        var entry = redemption.EntryOf(request, presenter, agent, grant, name);
        var expires = Least(now + statement.Life, grant.ExpiresAt, agent?.EndsAt);
        var text = await jwt.WriteAsync(
            tenant.Id,
            statement.Type,
            SigningKey.Es256,
            json => Write(json, statement, tenant, name, now, expires),
            CancellationToken.None);
        await audit.WriteAsync(entry);
        grants.NoteUse(grant);
        Telemetry.Tokens.Add(1, new KeyValuePair<string, object?>("grant_type", request.GrantType));
        return new IssuedTokens
        {
            AccessToken = Encoding.ASCII.GetBytes(text),
            TokenType = "N_A",
            IssuedTokenType = redemption.IssuedTokenType,
            ExpiresIn = expires.ToUnixTimeSeconds() - now.ToUnixTimeSeconds(),
            Scope = statement.Scopes,
            Details = statement.Details,
        };
    }

    // What rests on a grant and an agent lasts no longer than these.
    private static DateTimeOffset Least(DateTimeOffset own, DateTimeOffset grants, DateTimeOffset? agents)
    {
        var least = grants < own ? grants : own;
        return agents < least ? agents.Value : least;
    }

    private static void Write(
        Utf8JsonWriter json,
        SignedStatement statement,
        Tenant tenant,
        string name,
        DateTimeOffset now,
        DateTimeOffset expires)
    {
        json.WriteString("iss"u8, tenant.Issuer);
        json.WriteString("sub"u8, statement.Subject);
        json.WriteString("aud"u8, statement.Audience);
        json.WriteString("scope"u8, statement.Scopes.ToString());
        json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
        json.WriteNumber("exp"u8, expires.ToUnixTimeSeconds());
        json.WriteString("jti"u8, name);
        AccessTokenWriter.WriteDetails(json, statement.Details);
        statement.Claims(json);
    }
}
