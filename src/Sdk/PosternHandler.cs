using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Challenges;
using Postern.AspNetCore.Metadata;

namespace Postern.AspNetCore;

/// <summary>
/// The authentication scheme: who calls is who the token speaks for, and every refusal is a proper challenge.
/// </summary>
internal sealed partial class PosternHandler(
    RequestValidator validator, IOptions<PosternOptions> options, ILogger<PosternHandler> logger)
    : IAuthenticationHandler
{
    public const string Scheme = "Postern";

    private HttpContext http = null!;
    private AuthenticateResult? result;
    private TokenRefusal? refusal;

    public Task InitializeAsync(AuthenticationScheme scheme, HttpContext context)
    {
        http = context;
        return Task.CompletedTask;
    }

    public async Task<AuthenticateResult> AuthenticateAsync() => result ??= await JudgeAsync() switch
    {
        AccessToken token => Accept(token),
        TokenRefusal refused => Refuse(refused),
        _ => AuthenticateResult.NoResult(),
    };

    public async Task ChallengeAsync(AuthenticationProperties? properties)
    {
        await AuthenticateAsync();
        var scopes = NeededScopes() is { Length: > 0 } needed ? needed : [.. options.Value.Scopes];
        BearerChallenge.For(refusal, MetadataUrl, string.Join(' ', scopes)).WriteTo(http.Response);
    }

    public Task ForbidAsync(AuthenticationProperties? properties)
    {
        var needed = NeededScopes();
        if (http.AccessToken is { } token && NeededSignIn() is { } demand && !SignInRequirement.IsMet(http, demand))
        {
            // Scopes too: one challenge says all that the operation needs.
            BearerChallenge
                .InsufficientUserAuthentication(
                    demand, MetadataUrl, string.Join(' ', needed), isDpop: token.KeyThumbprint is not null)
                .WriteTo(http.Response);
            return Task.CompletedTask;
        }

        if (http.AccessToken is { } lesser && !Array.TrueForAll(needed, lesser.HasScope))
        {
            BearerChallenge.InsufficientScope(string.Join(' ', needed), MetadataUrl).WriteTo(http.Response);
            return Task.CompletedTask;
        }

        http.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }

    private string MetadataUrl => ResourceMetadata.UrlOf(options.Value.Resource);

    private string[] NeededScopes() => http.GetEndpoint()?.Metadata.GetOrderedMetadata<ScopeRequirement>()
        .SelectMany(requirement => requirement.Scopes).Distinct(StringComparer.Ordinal).ToArray() ?? [];

    private SignInDemand? NeededSignIn() => http.GetEndpoint()?.Metadata.GetOrderedMetadata<SignInRequirement>()
        .Aggregate((SignInDemand?)null, (all, one) => one.Demand.And(all));

    private ValueTask<TokenOutcome?> JudgeAsync() => validator.ValidateAsync(
        http.Request, options.Value.Resource, PublicUrl, options.Value.RequireDpop, http.RequestAborted);

    // As clients know it: what the request says of its host may be anything.
    private string PublicUrl =>
        options.Value.PublicBase + (http.Request.PathBase + http.Request.Path).ToUriComponent();

    private AuthenticateResult Accept(AccessToken token)
    {
        http.Features.Set(token);
        var identity = new ClaimsIdentity(
            [
                new("sub", token.Subject), new("client_id", token.ClientId), new("jti", token.Id),
                .. token.Scopes.Select(scope => new Claim("scope", scope)),
            ],
            authenticationType: token.KeyThumbprint is null ? "Bearer" : "DPoP", nameType: "sub", roleType: "roles");
        return AuthenticateResult.Success(new(new(identity), Scheme));
    }

    private AuthenticateResult Refuse(TokenRefusal refused)
    {
        refusal = refused;
        Log.Refused(logger, refused.Code, refused.Reason);
        return AuthenticateResult.Fail(refused.Code);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Refused with {Code}: {Reason}")]
        public static partial void Refused(ILogger logger, string code, string reason);
    }
}
