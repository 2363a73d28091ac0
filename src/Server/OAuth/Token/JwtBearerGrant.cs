using System.Text.Json;
using Postern.Audit;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;
using Postern.Servers;

namespace Postern.OAuth.Token;

/// <summary>
/// An assertion as grant (RFC 7523 §2.1), with three meanings told apart by <see cref="TrustedIssuers"/>: an identity
/// provider speaks for a person (ID-JAG), another authorization server passes on what was granted there, a platform
/// names one of its programs.
/// </summary>
internal sealed class JwtBearerGrant(
    TrustedIssuers issuers,
    AssertedPeople people,
    Actors acting,
    StandingGrants standing,
    ServerBook servers,
    SenderConstraint constraint,
    TimeProvider clock) : IGrantType
{
    public string Name => ClientMetadata.JwtBearer;

    public async ValueTask<Result<Redemption>> RedeemAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop)
    {
        if (request.Assertion is not { } text)
        {
            return OAuthError.InvalidRequest("assertion is missing.");
        }

        var reading = presenter.Assertion is { } proven
            ? (Result<Assertion>)proven
            : await issuers.ReadAsync(presenter.Tenant, text, stop);
        if (reading.Failed(out var error, out var assertion)
            || (await GrantAsync(request, presenter, assertion, stop)).Failed(out error, out var wanted))
        {
            return error;
        }

        if ((Unbound(wanted, presenter, assertion) ?? request.For(wanted.Scopes).Exceeds(wanted)) is { } refusal)
        {
            return refusal;
        }

        // Last, so that a request that is refused leaves the assertion as good as it was.
        if (!await issuers.UseAsync(presenter.Tenant, assertion))
        {
            return OAuthError.InvalidGrant("assertion used again");
        }

        return await StandingAsync(wanted, assertion, stop) is { } grant && grant.IsLive(clock.GetUtcNow())
            ? new Redemption(grant, null) { EntryKind = AuditKinds.TokenIssued, Granted = wanted.Scopes }
            : OAuthError.InvalidGrant("the grant was ended here");
    }

    private ValueTask<Grant?> StandingAsync(Grant wanted, Assertion assertion, CancellationToken stop) =>
        wanted.IsOwn
            ? standing.OwnAsync(
                wanted.Tenant,
                wanted.Client,
                wanted.ClientName,
                wanted.Resource,
                wanted.Scopes,
                stop,
                assertion.Issuer.Name,
                wanted.Details)
            : standing.AssertedAsync(wanted, stop);

    // ID-JAG §8.6.1.2.4: what brings no proof where one is demanded is no good grant.
    private OAuthError? Unbound(Grant wanted, Presenter presenter, Assertion assertion) =>
        constraint.Refusal(wanted, presenter) is { } refusal
            ? assertion.Issuer.Kind is IssuerKind.IdentityProvider ? refusal with { Code = "invalid_grant" } : refusal
            : null;

    private async ValueTask<Result<Grant>> GrantAsync(
        TokenRequest request, Presenter presenter, Assertion assertion, CancellationToken stop)
    {
        if (Refusal(presenter, assertion) is { } refusal)
        {
            return OAuthError.InvalidGrant($"assertion: {refusal}");
        }

        if (TargetOf(request, presenter.Tenant.Id, assertion).Failed(out var error, out var server)
            || ScopesOf(request, presenter.Client, assertion, server).Failed(out error, out var scopes))
        {
            return error;
        }

        if (!TryDetails(assertion, server, out var details))
        {
            return OAuthError.InvalidGrant("assertion: limited in a way that is not understood here");
        }

        var (client, now) = (presenter.Client, clock.GetUtcNow());
        var grant = new Grant
        {
            Id = default,
            Tenant = presenter.Tenant.Id,
            Subject = new(client.Id.Value),
            IsOwn = true,
            Client = client.Id,
            ClientName = client.Name,
            Resource = server.Resource,
            Scopes = scopes,
            Details = details,
            CreatedAt = now,
            ExpiresAt = now + client.At(presenter.Tenant).RefreshAbsolute,
        };
        return assertion.Issuer.Kind is IssuerKind.Workload
            ? grant
            : await ForPersonAsync(grant, presenter, assertion, stop);
    }

    private async ValueTask<Result<Grant>> ForPersonAsync(
        Grant grant, Presenter presenter, Assertion assertion, CancellationToken stop)
    {
        if (AssertedPeople.ActorsOf(assertion) is not { } actors)
        {
            return OAuthError.InvalidGrant("assertion: act is malformed, of another issuer, circular or too deep");
        }

        return await people.FindAsync(presenter.Tenant, assertion, stop) is { } person
            ? grant with
            {
                Subject = person.Id,
                IsOwn = false,
                // Who shows it acts for those it names, and stands before them.
                Actors = actors is [] ? [] : [acting.Of(presenter), .. actors],
                ApprovedBy = assertion.Issuer.Name,
                AuthTime = assertion.Token.At("auth_time"),
            }
            : OAuthError.InvalidGrant("assertion: nobody here, or somebody who is shut out");
    }

    private static string? Refusal(Presenter presenter, Assertion assertion) => assertion switch
    {
        { Issuer.Kind: IssuerKind.Workload } when presenter.Assertion is null => "a workload's, shown by a client",
        { Token: var token } when !IsProven(presenter, token) => "bound to a key that was not proven",
        { Issuer.Kind: IssuerKind.Workload } => null,
        _ when presenter.Client.IsPublic => "shown by a client that cannot prove itself",
        { Issuer.Kind: IssuerKind.IdentityProvider, Token: var token }
            when token.Text("client_id") != presenter.Client.Id.Value => "for another client",
        { Token: var token } when token.Claims.TryGetProperty("client_id", out _)
            && token.Text("client_id") != presenter.Client.Id.Value => "for another client",
        { Issuer: var issuer } when !issuer.MaySpeakFor(presenter.Client) => "its issuer may not speak for this client",
        _ => null,
    };

    // One that is bound to a key is good with that key alone; one that is not may still bring about bound tokens.
    private static bool IsProven(Presenter presenter, ForeignToken token) =>
        !token.Claims.TryGetProperty("cnf", out var cnf)
        || (cnf.ValueKind is JsonValueKind.Object && cnf.GetPropertyCount() is 1
            && presenter.Holder is { } holder
            && cnf.TryGetProperty(holder.Member, out var bound) && bound.ValueKind is JsonValueKind.String
            && bound.ValueEquals(holder.Thumbprint));

    // The resource is part of what its issuer said: with aud, a pair. Without it the request must name one, or there
    // is only one that the issuer reaches.
    private Result<McpServer> TargetOf(TokenRequest request, TenantId tenant, Assertion assertion)
    {
        var reach = assertion.Issuer.Resources;
        var said = assertion.Token.Claims.TryGetProperty("resource", out var claim)
            ? Texts(claim)
            : [.. reach.Select(resource => resource.Value)];
        var target = request.Resource?.Value ?? (said is [var only] ? only : null);
        return target is not null && said.Contains(target)
            && Resource.TryParse(target, out var resource) && reach.Contains(resource)
            && servers.ByResource(tenant, resource) is { } server
                ? server
                : OAuthError.InvalidTarget("Assertion, issuer and request must agree on one resource here.");
    }

    // What the assertion grants, within what its issuer, the client and the server have.
    private Result<Scopes> ScopesOf(TokenRequest request, Client client, Assertion assertion, McpServer server)
    {
        var most = servers.Scopes(server).Intersect(assertion.Issuer.Scope).Without(Scopes.OfflineAccess);
        most = client.ScopeCap is { } cap ? most.Intersect(cap) : most;
        if (assertion.Token.Claims.TryGetProperty("scope", out _))
        {
            most = Scopes.TryParse(assertion.Token.Text("scope"), out var said) ? most.Intersect(said) : Scopes.None;
        }

        // Clients ask for all that a server's challenge names; the answer says what they got.
        return (request.Scopes?.Intersect(most) ?? most) is { IsEmpty: false } scopes
            ? scopes
            : OAuthError.InvalidScope("The assertion, its issuer and this client hold none of these scopes.");
    }

    // What is said in details is all that its issuer lets anybody do. Of what is not understood, or is about another
    // resource, nothing may be dropped: the rest would be more than was said. Without a tool in them they would reach
    // all of the server's, and here is nobody who ticks some.
    private static bool TryDetails(Assertion assertion, McpServer server, out Details? details)
    {
        details = null;
        if (!assertion.Token.Claims.TryGetProperty("authorization_details", out var claim))
        {
            return true;
        }

        var text = claim.GetRawText();
        details = text.Length <= TokenRequest.MaxDetails && DetailCheck.Refusal(text, server) is null
            ? Details.Parse(text)
            : null;
        return details?.Tools is not null;
    }

    private static IReadOnlyList<string> Texts(JsonElement claim) => claim.ValueKind switch
    {
        JsonValueKind.String => [claim.GetString()!],
        JsonValueKind.Array when claim.EnumerateArray().All(one => one.ValueKind is JsonValueKind.String) =>
            [.. claim.EnumerateArray().Select(one => one.GetString()!)],
        _ => [],
    };
}
