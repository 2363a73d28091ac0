using System.Text.Json.Serialization;
using Microsoft.AspNetCore.WebUtilities;

namespace Postern.Platform.Http;

/// <summary>An error answer of the API (RFC 9457); <paramref name="Detail"/> says what to do.</summary>
internal sealed partial record Problem(int Status, string Detail) : IResult
{
    public static Problem Bad(string detail) => new(StatusCodes.Status400BadRequest, detail);

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = Status;
        return httpContext.Response.WriteAsJsonAsync(
            new(Status, ReasonPhrases.GetReasonPhrase(Status), Detail),
            ProblemJson.Default.Body,
            "application/problem+json",
            httpContext.RequestAborted);
    }

    internal sealed record Body(int Status, string Title, string Detail);

    [JsonSerializable(typeof(Body))]
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    private sealed partial class ProblemJson : JsonSerializerContext;
}
