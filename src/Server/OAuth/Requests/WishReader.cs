using System.Security.Cryptography;
using Postern.Approvals;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.Servers;

namespace Postern.OAuth.Requests;

/// <summary>
/// What a client asks for that has no browser: the same parameters as those of an authorization request, checked by the
/// same rules (RFC 8628 §3.1, CIBA Core §7.1).
/// </summary>
internal sealed class WishReader(ServerBook servers, TimeProvider clock, RandomNumberGenerator random)
{
    /// <summary>The question that it becomes, for whoever is asked.</summary>
    /// <param name="presenter">The client.</param>
    /// <param name="way">How the question came here.</param>
    /// <param name="life">How long it waits for an answer.</param>
    /// <param name="parameters">What it asks for, by the names of the parameters.</param>
    public Result<Ask> Read(Presenter presenter, AskWay way, TimeSpan life, Func<string, string?> parameters)
    {
        var now = clock.GetUtcNow();
        var asked = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
        return Read(presenter, parameters, now).Failed(out var error, out var wish)
            ? error
            : new Ask
            {
                Id = new(wish.Id),
                Tenant = presenter.Tenant.Id,
                Way = way,
                Wish = wish,
                Network = presenter.Network,
                Binding = presenter.Binding,
                IsByStranger = presenter.IsStranger,
                CreatedAt = asked,
                ExpiresAt = asked + life,
            };
    }

    private Result<Wish> Read(Presenter presenter, Func<string, string?> parameters, DateTimeOffset now)
    {
        var (tenant, client) = (presenter.Tenant.Id, presenter.Client);
        // RFC 9449 §10 has it for requests that somebody else carries. Here the client stands itself.
        if (parameters("dpop_jkt") is not null)
        {
            return OAuthError.InvalidRequest("dpop_jkt is not taken here: send a DPoP proof of the key.");
        }

        if (ServerOf(tenant, parameters("resource")).Failed(out var error, out var server))
        {
            return error;
        }

        if (!Scopes.TryParse(parameters("scope"), out var asked))
        {
            return OAuthError.InvalidScope("scope is a list of scope tokens with single spaces between.");
        }

        var details = parameters("authorization_details");
        if (DetailCheck.Refusal(details, server) is { } unfit)
        {
            return unfit;
        }

        return client.Narrow(asked, servers.Scopes(server)) is { IsEmpty: false } scopes
            ? new Wish
            {
                Id = GrantId.New(now, random).Value,
                Client = client.Id.Value,
                ClientName = client.Name,
                Scope = scopes.With(client.NarrowIdentity(asked)).ToString(),
                Resource = server.Resource.Value,
                Details = DetailCheck.Plain(details),
                CreatedAt = now.ToUnixTimeSeconds(),
            }
            : OAuthError.InvalidScope("None of these scopes is served for this resource and client.");
    }

    private Result<McpServer> ServerOf(TenantId tenant, string? text) => text switch
    {
        null => servers.Default(tenant) is { } server
            ? server
            : OAuthError.InvalidTarget("resource is required: there are several servers here."),
        _ when Resource.TryParse(text, out var resource)
            && servers.ByResource(tenant, resource) is { } server => server,
        _ => OAuthError.InvalidTarget(
            "No such resource here; use the one that the protected resource metadata names."),
    };
}
