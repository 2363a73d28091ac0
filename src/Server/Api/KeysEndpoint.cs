using Postern.Audit;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Keys;

namespace Postern.Api;

/// <summary>Changes the key that signs tokens: in the way of the schedule, or at once when it is lost.</summary>
internal static class KeysEndpoint
{
    public static void Map(IEndpointRouteBuilder api) => api.MapPost("/keys", RotateAsync);

    private static async Task<IResult> RotateAsync(
        HttpContext http, SigningKeys keys, AuditLog audit, CancellationToken stop)
    {
        if (await StrictBody.ReadAsync(http, ApiJson.Default.NewKey) is not { } asked)
        {
            return Problem.Bad("Send application/json with `now`, true or false, and nothing else.");
        }

        var entry = By.Admin(http, AuditKinds.KeysRotated);
        var next = asked.Now
            ? await keys.ReplaceAsync(entry.Tenant, Note(audit, entry with { Reason = "replaced at once" }), stop)
            : await keys.RotateAsync(entry.Tenant, Note(audit, entry with { Reason = "the next one published" }), stop);
        return Results.Json(
            new KeyBody(next.Id, next.SignsFrom), ApiJson.Default.KeyBody, statusCode: StatusCodes.Status201Created);
    }

    private static Action<Unit> Note(AuditLog audit, AuditEntry entry) => unit => audit.Write(unit, entry);
}
