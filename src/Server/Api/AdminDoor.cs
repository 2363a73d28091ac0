using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>Lets in who presents the administrator's token.</summary>
internal static class AdminDoor
{
    public static Door For(AdminToken token) => new("administrator's token", http =>
    {
        // Of answers to those who come in, too: what is told here is for nobody else.
        http.Response.Headers.CacheControl = "no-store";
        // A browser says whose page asks (DNS rebinding); no page but ours has business here.
        if (http.Request.Headers.Origin is { Count: > 0 } asking && asking != http.Tenant.Origin)
        {
            return new Problem(StatusCodes.Status403Forbidden, "Pages of other origins are not let in.");
        }

        return http.Request.Headers.Authorization is [var authorization] && token.IsIn(authorization)
            ? null
            : Refuse(http);
    });

    private static Problem Refuse(HttpContext http)
    {
        // RFC 6750 §3.1: no error code for a request that brought nothing.
        http.Response.Headers.WWWAuthenticate = http.Request.Headers.Authorization.Count is 0
            ? "Bearer realm=\"postern-api\""
            : "Bearer realm=\"postern-api\", error=\"invalid_token\"";
        return new(
            StatusCodes.Status401Unauthorized,
            "Send `Authorization: Bearer` with the token in admin.token in the server's data folder. `postern "
                + "login` keeps it for the command line.");
    }
}
