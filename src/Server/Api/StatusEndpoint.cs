using Postern.Audit;
using Postern.Platform.Configuration;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.Api;

/// <summary>What runs here; the way to find out whether a token is good.</summary>
internal static class StatusEndpoint
{
    private static readonly string Version = typeof(StatusEndpoint).Assembly.GetName().Version!.ToString(3);

    public static void Map(IEndpointRouteBuilder api) => api.MapGet("/status", ReadAsync);

    private static async Task<IResult> ReadAsync(
        HttpContext http, Settings settings, ServerBook servers, AuditLog audit, CancellationToken stop) =>
        Results.Json(
            new StatusBody(
                Version,
                http.Tenant.Issuer,
                http.Tenant.Address("/console"),
                settings.Database.Path is not null ? "sqlite" : "postgresql",
                servers.All(http.Tenant.Id).Count,
                await audit.LastAsync(http.Tenant.Id, stop)),
            ApiJson.Default.StatusBody);
}
