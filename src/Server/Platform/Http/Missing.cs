using Postern.Platform.Pages;

namespace Postern.Platform.Http;

/// <summary>What is said where there is nothing: a page to people, a status to programs.</summary>
internal static class Missing
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapFallback("{*path}", Answer).Open();

    /// <summary>Whether a person's browser asks.</summary>
    public static bool WantsPage(HttpRequest request) =>
        request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    private static IResult Answer(HttpRequest request) => WantsPage(request)
        ? new PageResult<ErrorPage, ErrorView>(new(
            "There is nothing here", "The address may be old or mistyped.", "Go to the front page.", "/", "Front page"))
        {
            Status = StatusCodes.Status404NotFound,
        }
        : Results.NotFound();
}
