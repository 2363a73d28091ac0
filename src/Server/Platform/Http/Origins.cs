using Microsoft.AspNetCore.Cors.Infrastructure;

namespace Postern.Platform.Http;

/// <summary>
/// Which routes a page of another origin may call from a browser: those that work without cookies, for tools that run
/// in a browser. Credentials are never allowed.
/// </summary>
internal static class Origins
{
    public const string Any = "any";

    public static void Configure(CorsOptions options) => options.AddPolicy(
        Any,
        policy => policy
            .AllowAnyOrigin()
            .AllowAnyHeader()
            .AllowAnyMethod()
            .WithExposedHeaders("WWW-Authenticate", "DPoP-Nonce", "OAuth-Client-Attestation-Challenge")
            .SetPreflightMaxAge(TimeSpan.FromHours(1)));

    /// <summary>Only browsers name an origin, and to others there is nothing to say about it.</summary>
    public static bool AreNamed(HttpContext http) => http.Request.Headers.Origin.Count > 0;

    /// <summary>
    /// What a cache keeps for everybody says so in any case: it may have been asked for by a program, and answers a
    /// page next.
    /// </summary>
    public static void LetAny(HttpContext http)
    {
        if (!AreNamed(http))
        {
            http.Response.Headers.AccessControlAllowOrigin = "*";
        }
    }

    extension<T>(T route)
        where T : IEndpointConventionBuilder
    {
        public T AnyOrigin() => route.RequireCors(Any);
    }
}
