using Postern.Audit;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.Servers;

namespace Postern.OAuth.Token;

/// <summary>A client that acts as itself (RFC 6749 §4.4), within what an operator registered it for.</summary>
internal sealed class ClientCredentialsGrant(
    StandingGrants grants, ServerBook servers, Deferrals deferrals, TimeProvider clock) : IGrantType
{
    public string Name => ClientMetadata.ClientCredentials;

    public async ValueTask<Result<Redemption>> RedeemAsync(
        TokenRequest request, Presenter presenter, CancellationToken stop)
    {
        var (tenant, client) = (presenter.Tenant.Id, presenter.Client);
        if (client.IsPublic || !client.IsVouchedFor)
        {
            return OAuthError.UnauthorizedClient(
                "client_credentials is for confidential clients that an operator registered.");
        }

        if (ResourceOf(request, client) is not { } resource)
        {
            return OAuthError.InvalidTarget("Name one resource that this client is registered for.");
        }

        // RFC 6749 §4.4: it may also act for somebody with whom that was arranged, which is what it is put off for.
        if (client.Approval is { } person)
        {
            return await deferrals.DeferAsync(request, presenter, person, resource, stop);
        }

        var scopes = (client.ScopeCap ?? OfferedAt(tenant, resource)).Without(Scopes.OfflineAccess);
        return await grants.OwnAsync(tenant, client.Id, client.Name, resource, scopes, stop) is { } grant
            && grant.IsLive(clock.GetUtcNow())
            ? new Redemption(grant, null) { EntryKind = AuditKinds.TokenIssued }
            : OAuthError.InvalidGrant("an operator ended this client's grant");
    }

    private Scopes OfferedAt(TenantId tenant, Resource resource) =>
        servers.ByResource(tenant, resource) is { } server ? servers.Scopes(server) : Scopes.None;

    // RFC 8707 §2.2: with one resource registered there is nothing to guess.
    private static Resource? ResourceOf(TokenRequest request, Client client) =>
        (request.Resource, client.Resources) switch
        {
            (null, [var only]) => only,
            ({ } asked, var registered) when registered.Contains(asked) => asked,
            _ => null,
        };
}
