using Microsoft.Extensions.Primitives;
using Postern.Grants.Parties;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Programs that their platform vouches for (workload authorization grant): the assertion is proof and grant at once,
/// and nobody had to register them.
/// </summary>
internal sealed class Workloads(TrustedIssuers issuers, Switches switches, Refusals refusals)
{
    /// <summary>An assertion as grant, and nothing that says which client asks.</summary>
    public static bool IsSpeaking(HttpRequest http, Form form) =>
        form["grant_type"] is ClientMetadata.JwtBearer
        && form["assertion"] is not null
        && form["client_id"] is null
        && form["client_secret"] is null
        && form["client_assertion"] is null
        && http.Headers[Attestation.Header].Count is 0
        && StringValues.IsNullOrEmpty(http.Headers.Authorization);

    public async ValueTask<Result<Presenter>> AuthenticateAsync(HttpRequest http, Form form, CancellationToken stop)
    {
        var tenant = http.HttpContext.Tenant;
        if ((await issuers.ReadAsync(tenant, form["assertion"]!, stop)).Failed(out var error, out var assertion))
        {
            return error;
        }

        if (assertion.Issuer.Kind is not IssuerKind.Workload)
        {
            return OAuthError.InvalidClient("only a workload presents an assertion without client authentication");
        }

        var client = ClientOf(assertion);
        refusals.Watch(http.HttpContext, tenant, client, SourceNetwork.Of(http.HttpContext)).IsProven = true;
        return switches.WhyOff(tenant.Id, client.Id) is { } off
            ? OAuthError.InvalidClient(off)
            : new Presenter(tenant, client, SourceNetwork.Of(http.HttpContext)) { Assertion = assertion };
    }

    // As much of a client as a grant needs: the platform's name for it, unmistakable among other clients.
    private static Client ClientOf(Assertion assertion)
    {
        var (issuer, subject) = (assertion.Issuer, assertion.Token.Text("sub")!);
        return new()
        {
            Id = ClientId.OfWorkload(issuer.Name, subject),
            Source = ClientSource.Workload,
            Name = subject,
            AuthMethods = [],
            RedirectUris = [],
            GrantTypes = [ClientMetadata.JwtBearer],
            ScopeCap = issuer.Scope,
            Resources = issuer.Resources,
        };
    }
}
