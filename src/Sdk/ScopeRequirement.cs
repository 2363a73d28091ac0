using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Postern.AspNetCore.AccessTokens;

namespace Postern.AspNetCore;

/// <summary>An endpoint is open to tokens that have all of these scopes.</summary>
internal sealed class ScopeRequirement : AuthorizationHandler<ScopeRequirement>, IAuthorizationRequirement
{
    public ScopeRequirement(string[] scopes)
    {
        Scopes = scopes is not [] && Array.TrueForAll(scopes, TokenClaims.IsScope)
            ? scopes
            : throw new ArgumentException($"Expected scopes: {TokenClaims.ScopeGrammar}.", nameof(scopes));
    }

    public string[] Scopes { get; }

    // The token itself is asked, not the user's claims: another scheme may have signed the user in. Each requirement is
    // shown all requirements of the endpoint, so it is the argument's scopes that count, not its own.
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ScopeRequirement requirement)
    {
        if (context.Resource is HttpContext http && http.AccessToken is { } token
            && Array.TrueForAll(requirement.Scopes, token.HasScope))
        {
            context.Succeed(requirement);
        }

        return Task.CompletedTask;
    }

    /// <summary>How the framework's log names what was not met.</summary>
    public override string ToString() => $"scope {string.Join(' ', Scopes)}";
}
