using System.Buffers.Text;
using Postern.Audit;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>The log, oldest first, from after a number.</summary>
internal static class AuditEndpoint
{
    private const int DefaultLimit = 100, MaxLimit = 1000;

    public static void Map(IEndpointRouteBuilder api) => api.MapGet("/audit", ListAsync);

    private static async Task<IResult> ListAsync(
        HttpContext http, AuditLog audit, ReadNotes notes, Names names, CancellationToken stop)
    {
        var query = http.Request.Query;
        if (Query.Refuse(query, "after", "limit") is { } problem)
        {
            return problem;
        }

        if (Query.Number(query, "after", -1, -1, long.MaxValue) is not { } after
            || Query.Number(query, "limit", DefaultLimit, 1, MaxLimit) is not { } limit)
        {
            return Problem.Bad("`after` must be the number of an entry, or -1 for all; `limit` a number from 1 to "
                + $"{MaxLimit}.");
        }

        await notes.NoteAsync(http);
        var rows = await audit.AfterAsync(http.Tenant.Id, after, (int)limit, stop);
        var people = await names.OfAsync(http.Tenant.Id, rows.Select(row => row.Subject).OfType<SubjectId>(), stop);
        return Results.Json(
            new EntryList([.. rows.Select(row => Body(row, people))], await audit.LastAsync(http.Tenant.Id, stop)),
            ApiJson.Default.EntryList);
    }

    private static EntryBody Body(AuditRow row, IReadOnlyDictionary<SubjectId, string> people) => new(
        row.Seq,
        "sha-256:" + Base64Url.EncodeToString(row.Leaf),
        row.Subject?.Value,
        row.Subject is { } subject ? people.GetValueOrDefault(subject) : null,
        row.Record);
}
