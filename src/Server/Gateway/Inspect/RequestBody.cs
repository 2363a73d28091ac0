using Microsoft.Extensions.Primitives;

namespace Postern.Gateway.Inspect;

/// <summary>What a body must be before it is read, and how much of it is.</summary>
internal static class RequestBody
{
    public const int MaxLength = 4 * 1024 * 1024;

    private const string Json = "application/json";

    /// <summary>Reads it; or answers the status of its refusal.</summary>
    public static async ValueTask<int?> ReadAsync(HttpRequest request, PooledBytes into, CancellationToken stop)
    {
        if (request.ContentLength > MaxLength)
        {
            return StatusCodes.Status413PayloadTooLarge;
        }

        if (!IsJson(request.ContentType))
        {
            return StatusCodes.Status415UnsupportedMediaType;
        }

        if (!TakesBoth(request.Headers.Accept))
        {
            return StatusCodes.Status406NotAcceptable;
        }

        return await into.TryFillAsync(request.Body, MaxLength, stop) ? null : StatusCodes.Status413PayloadTooLarge;
    }

    private static bool IsJson(string? type) =>
        type is not null && type.StartsWith(Json, StringComparison.OrdinalIgnoreCase)
        && (type.Length == Json.Length || type[Json.Length] is ';' or ' ');

    // The server chooses between the two with each answer. A client that names nothing takes anything.
    private static bool TakesBoth(StringValues accept)
    {
        var text = accept.ToString();
        return text is "" || text.Contains("*/*", StringComparison.Ordinal)
            || (text.Contains(Json, StringComparison.OrdinalIgnoreCase)
                && text.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase));
    }
}
