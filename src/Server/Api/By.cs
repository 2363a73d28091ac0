using Postern.Audit;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>
/// How the log names the holder of the administrator's token, who is a program or a person on the machine.
/// </summary>
internal static class By
{
    /// <summary>As it is kept beside what they did.</summary>
    public const string Name = "the administrator's token";

    public static AuditEntry Admin(HttpContext http, string kind) => new()
    {
        Tenant = http.Tenant.Id,
        Kind = kind,
        Reason = $"by {Name}",
        Network = SourceNetwork.Of(http),
    };
}
