using Postern.Audit;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>
/// How the log names the holder of the administrator's token, who is a program or a person on the machine.
/// </summary>
internal static class By
{
    public static AuditEntry Admin(HttpContext http, string kind) => new()
    {
        Tenant = http.Tenant.Id,
        Kind = kind,
        Reason = "by the administrator's token",
        Network = SourceNetwork.Of(http),
    };
}
