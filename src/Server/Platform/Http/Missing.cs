using Postern.Platform.Pages;

namespace Postern.Platform.Http;

/// <summary>
/// What is said where there is nothing, a page to people and a status to programs; and where there is something that
/// is not asked for in this way (RFC 9110 §15.5.6).
/// </summary>
internal sealed class Missing(RequestDelegate next)
{
    /// <summary>Whether a person's browser asks.</summary>
    public static bool WantsPage(HttpRequest request) =>
        request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext http) => http.GetEndpoint() switch
    {
        null => Nothing(http.Request).ExecuteAsync(http),
        RouteEndpoint => next(http),
        _ => OtherwiseAsync(http),
    };

    /// <summary>Whether a program asks that is to be told in a problem document.</summary>
    public static bool WantsProblem(HttpRequest request) =>
        request.Path.StartsWithSegments("/api", StringComparison.Ordinal);

    private static IResult Nothing(HttpRequest request) => request switch
    {
        _ when WantsProblem(request) => new Problem(
            StatusCodes.Status404NotFound, "There is nothing here. Addresses of the API have one spelling."),
        _ when WantsPage(request) => new PageResult<ErrorPage, ErrorView>(new(
            "There is nothing here", "The address may be old or mistyped.", "Go to the front page.", "/", "Front page"))
        {
            Status = StatusCodes.Status404NotFound,
        },
        _ => Results.NotFound(),
    };

    // The router answers with a bare status.
    private async Task OtherwiseAsync(HttpContext http)
    {
        await next(http);
        if (http.Response.StatusCode is StatusCodes.Status405MethodNotAllowed)
        {
            http.Response.ContentType = "text/plain; charset=utf-8";
            await http.Response.WriteAsync($"This address takes {http.Response.Headers.Allow}.\n", http.RequestAborted);
        }
    }
}
