using System.Globalization;
using System.Text.Json.Serialization;

namespace Postern.Platform.Http;

/// <summary>Writes an <see cref="OAuthError"/> the way RFC 6749 §5.2 asks: JSON, and never cached.</summary>
internal sealed partial class OAuthErrorResult(OAuthError error) : IResult
{
    /// <summary>What is said when nobody knows: outages end by themselves or not at all.</summary>
    private static readonly TimeSpan Shortly = TimeSpan.FromSeconds(5);

    public async Task ExecuteAsync(HttpContext http)
    {
        Log.Refused(http.RequestServices.GetRequiredService<ILogger<OAuthErrorResult>>(), error.Code, error.Reason);
        http.Features.Get<RefusalHeard>()?.Tell(error);
        http.Response.StatusCode = error.Status;
        http.Response.Headers.CacheControl = "no-store";
        if (error.Status is StatusCodes.Status401Unauthorized && http.Request.Headers.Authorization.Count > 0)
        {
            // RFC 6749 §5.2: a client that tried the Authorization header is answered in its scheme.
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"postern\", charset=\"UTF-8\"";
        }

        if (error.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
        {
            var seconds = Math.Ceiling((error.RetryAfter ?? Shortly).TotalSeconds);
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await http.Response.WriteAsJsonAsync(
            new(error.Code, error.Description)
            {
                DeferralCode = error.Deferral?.Code,
                ExpiresIn = error.Deferral?.ExpiresIn,
                Interval = error.Deferral?.Interval,
            },
            OAuthErrorJson.Default.Body,
            "application/json",
            http.RequestAborted);
    }

    internal sealed record Body(string Error, string ErrorDescription)
    {
        public string? DeferralCode { get; init; }

        public long? ExpiresIn { get; init; }

        public long? Interval { get; init; }
    }

    [JsonSerializable(typeof(Body))]
    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    private sealed partial class OAuthErrorJson : JsonSerializerContext;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Refused with {Code}: {Reason}")]
        public static partial void Refused(ILogger logger, string code, string? reason);
    }
}

/// <summary>Hears what its request is refused with, if it is.</summary>
internal abstract class RefusalHeard
{
    public abstract void Tell(OAuthError error);
}

internal static class OAuthErrors
{
    extension(OAuthError error)
    {
        public OAuthErrorResult ToHttp() => new(error);
    }
}
