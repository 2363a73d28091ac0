using Microsoft.Extensions.Primitives;

namespace Postern.Gateway.Inspect;

/// <summary>What a body must be before it is read, and how much of it is.</summary>
internal static class RequestBody
{
    public const int MaxLength = 4 * 1024 * 1024;

    private const string Json = "application/json";

    private static readonly RpcError
        TooLong = RpcError.InvalidRequest("The body is longer than 4 MiB.") with { Status = 413 },
        IsNotJson = RpcError.InvalidRequest($"Content-Type must be {Json}.") with { Status = 415 },
        TakesOne = RpcError.InvalidRequest($"Accept must name {Json} and text/event-stream.") with { Status = 406 };

    /// <summary>Reads it; or answers its refusal.</summary>
    public static async ValueTask<RpcError?> ReadAsync(HttpRequest request, PooledBytes into, CancellationToken stop)
    {
        if (request.ContentLength > MaxLength)
        {
            return TooLong;
        }

        if (!IsJson(request.ContentType))
        {
            return IsNotJson;
        }

        if (!TakesBoth(request.Headers.Accept))
        {
            return TakesOne;
        }

        return await into.TryFillAsync(request.Body, MaxLength, stop) ? null : TooLong;
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
