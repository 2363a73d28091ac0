using Postern.Grants.Parties;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// An agent with keys of its own is a client by its own name: it proves itself by them, and acts as itself or for those
/// who passed something on to it.
/// </summary>
internal static class AgentClient
{
    /// <summary>What it is in an actor chain.</summary>
    public const string Profile = "ai_agent";

    public static Client Of(Agent agent, Tenant tenant) => new()
    {
        Id = new(agent.Id),
        Source = ClientSource.Configured,
        Name = agent.Name,
        AuthMethods = [ClientMetadata.PrivateKeyJwt],
        Jwks = agent.Jwks,
        RedirectUris = [],
        GrantTypes =
        [
            ClientMetadata.ClientCredentials, ClientMetadata.TokenExchange, ClientMetadata.JwtBearer,
            ClientMetadata.Backchannel,
        ],
        ScopeCap = agent.Scope,
        Resources = [.. agent.Servers.Select(name => Resource.Of(tenant.Address($"/mcp/{name}")))],
        ActorProfile = Profile,
        Backchannel = new(IsPing: false, null, null),
        FirstSeen = agent.CreatedAt,
    };
}
