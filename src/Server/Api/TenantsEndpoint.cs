using Postern.Audit;
using Postern.Identity.Setup;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>
/// The tenants of this installation, which only the one at the root knows of. Each is a house of its own: nothing in it
/// is reached from another.
/// </summary>
internal static class TenantsEndpoint
{
    private const string Shape =
        "Send application/json with `name` and, if you like, `host`, `access_lifetime`, `refresh_idle`, "
        + "`refresh_absolute` (such as 10m or 30d), `servers` and `clients` (the most of each). Each member once, and "
        + "no others.";

    private static readonly Problem NotThere = new(
        StatusCodes.Status404NotFound, "There is no tenant of that name. `postern tenant list` shows them all.");

    public static void Map(IEndpointRouteBuilder api)
    {
        var root = api.ServiceProvider.GetRequiredService<TenantBook>().Default.Id;
        var tenants = api.MapGroup("/tenants").AddEndpointFilter((context, next) =>
            context.HttpContext.Tenant.Id == root ? next(context) : ValueTask.FromResult<object?>(NotThere));
        tenants.MapGet("", List);
        tenants.MapPost("", AddAsync);
        tenants.MapDelete("/{name}", RemoveAsync);
        tenants.MapPost("/{name}/setup", SetUpAsync);
    }

    private static IResult List(TenantBook tenants) => Results.Json(
        new TenantList([.. tenants.All.OrderBy(tenant => tenant.Name, StringComparer.Ordinal).Select(Body)]),
        ApiJson.Default.TenantList);

    private static async Task<IResult> AddAsync(
        HttpContext http, TenantBook tenants, SetupLinks links, AuditLog audit, CancellationToken stop)
    {
        if (await StrictBody.ReadAsync(http, ApiJson.Default.TenantToAdd) is not { } body
            || Read(body) is not { } asked)
        {
            return Problem.Bad(Shape);
        }

        if (asked.Refusal(tenants.Default) is { } refusal)
        {
            return Problem.Bad(refusal);
        }

        var by = By.Admin(http, AuditKinds.TenantAdded);
        if (await tenants.AddAsync(asked, (unit, made) => Note(audit, unit, by, made), stop) is not { } tenant)
        {
            return new Problem(
                StatusCodes.Status409Conflict,
                $"The name or the host is taken, or there are {TenantBook.Most} tenants. Choose another, or remove "
                    + "one first.");
        }

        http.Response.Headers.Location = http.Tenant.Address($"/api/tenants/{tenant.Name}");
        return Results.Json(
            Body(tenant) with { Setup = await links.OfferAsync(tenant, stop) },
            ApiJson.Default.TenantBody,
            statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> RemoveAsync(HttpContext http, string name, TenantBook tenants, AuditLog audit)
    {
        if (tenants.Named(name) is not { } tenant)
        {
            return NotThere;
        }

        if (tenant.Id == tenants.Default.Id)
        {
            return new Problem(StatusCodes.Status409Conflict, "The tenant at the root is the installation itself.");
        }

        var by = By.Admin(http, AuditKinds.TenantRemoved);
        return await tenants.RemoveAsync(tenant, unit => Note(audit, unit, by, tenant))
            ? Results.NoContent()
            : NotThere;
    }

    // Also for one whose link was lost, or has expired before anybody came in.
    private static async Task<IResult> SetUpAsync(
        HttpContext http, string name, TenantBook tenants, SetupLinks links, AuditLog audit, CancellationToken stop)
    {
        if (tenants.Named(name) is not { } tenant)
        {
            return NotThere;
        }

        if (await links.OfferAsync(tenant, stop) is not { } link)
        {
            return new Problem(StatusCodes.Status409Conflict, "Somebody runs this tenant already.");
        }

        var entry = By.Admin(http, AuditKinds.AdminChanged) with { Action = "setup", Resource = tenant.Issuer };
        await audit.WriteAsync(entry with { Tenant = tenant.Id });
        return Results.Json(Body(tenant) with { Setup = link }, ApiJson.Default.TenantBody);
    }

    // In both logs: the installation's, and the tenant's own, of which it is the first or the last entry.
    private static void Note(AuditLog audit, Unit unit, AuditEntry by, Tenant tenant)
    {
        audit.Write(unit, by with { Resource = tenant.Issuer });
        audit.Write(unit, by with { Tenant = tenant.Id, Resource = tenant.Issuer });
    }

    private static NewTenant? Read(TenantToAdd body)
    {
        var texts = new[] { body.AccessLifetime, body.RefreshIdle, body.RefreshAbsolute };
        var spans = Array.ConvertAll(texts, text => text is null ? null : Durations.Parse(text));
        return texts.Zip(spans).Any(pair => pair is { First: not null, Second: null })
            ? null
            : new()
            {
                Name = body.Name,
                Host = body.Host,
                AccessLifetime = spans[0],
                RefreshIdle = spans[1],
                RefreshAbsolute = spans[2],
                Servers = body.Servers,
                Clients = body.Clients,
            };
    }

    private static TenantBody Body(Tenant tenant) => new(
        tenant.Name,
        tenant.Issuer,
        tenant.Address("/console"),
        Durations.Format(tenant.AccessLifetime),
        Durations.Format(tenant.RefreshIdle),
        Durations.Format(tenant.RefreshAbsolute),
        tenant.MostServers,
        tenant.MostClients);
}
