using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Postern.AspNetCore;

/// <summary>An endpoint is open to tokens whose person has signed in strongly and lately enough.</summary>
internal sealed class SignInRequirement(SignInDemand demand)
    : AuthorizationHandler<SignInRequirement>, IAuthorizationRequirement
{
    public SignInDemand Demand => demand;

    /// <summary>Judged at each request: what was fresh enough grows old while the token lives.</summary>
    public static bool IsMet(HttpContext http, SignInDemand demand) =>
        http.AccessToken is { } token
        && demand.IsMetBy(token, http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());

    // Each requirement is shown all requirements of the endpoint, so it is the argument's demand that counts.
    protected override Task HandleRequirementAsync(
        AuthorizationHandlerContext context, SignInRequirement requirement)
    {
        if (context.Resource is HttpContext http && IsMet(http, requirement.Demand))
        {
            context.Succeed(requirement);
        }

        return Task.CompletedTask;
    }

    /// <summary>How the framework's log names what was not met.</summary>
    public override string ToString() => "sign-in";
}
