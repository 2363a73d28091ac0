using Microsoft.AspNetCore.WebUtilities;

namespace Postern.Api;

/// <summary>An error answer of the API (RFC 9457); <paramref name="Detail"/> says what to do.</summary>
internal sealed record Problem(int Status, string Detail) : IResult
{
    public static Problem Bad(string detail) => new(StatusCodes.Status400BadRequest, detail);

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = Status;
        return httpContext.Response.WriteAsJsonAsync(
            new(Status, ReasonPhrases.GetReasonPhrase(Status), Detail),
            ApiJson.Default.ProblemBody,
            "application/problem+json",
            httpContext.RequestAborted);
    }
}
