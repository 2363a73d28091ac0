using Postern.Platform.Http;
using Postern.Platform.Pages;

namespace Postern.Console.Desk;

/// <summary>
/// The pages for operators. Lists go on from the last row that was shown, so that each page costs the same.
/// </summary>
internal static class DeskEndpoint
{
    /// <summary>Where a page of a list begins.</summary>
    public const string From = "from";

    private const int MaxFrom = 2000;

    private static readonly Door Admin = new("administrator", http => http.Features.Get<Caller>() switch
    {
        null => new SeeOther("/signin?to=console"),
        { IsAdmin: false } => NotYours,
        _ => null,
    });

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/console", (HttpContext http, DeskPages pages, CancellationToken stop) =>
            pages.OverviewAsync(http.Caller, stop)).For(Admin);
        routes.MapGet("/console/clients", (HttpContext http, DeskPages pages, CancellationToken stop) =>
            pages.ClientsAsync(http.Caller, FromOf(http), stop)).For(Admin);
        routes.MapGet("/console/agents", (HttpContext http, DeskPages pages, CancellationToken stop) =>
            pages.AgentsAsync(http.Caller, FromOf(http), stop)).For(Admin);
        routes.MapGet("/console/grants", (HttpContext http, DeskPages pages, CancellationToken stop) =>
            pages.GrantsAsync(http.Caller, FromOf(http), stop)).For(Admin);
        routes.MapGet("/console/log", (HttpContext http, DeskPages pages, CancellationToken stop) =>
            pages.LogAsync(http.Caller, FromOf(http), stop)).For(Admin);
    }

    // Anything but what our links say begins at the beginning; a NUL would not pass the database.
    private static string? FromOf(HttpContext http) =>
        http.Request.Query[From] is [{ Length: > 0 and <= MaxFrom } from]
        && !from.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? from
            : null;

    private static PageResult<ErrorPage, ErrorView> NotYours => new(new(
        "This page is for administrators",
        "Your account does not run this server.",
        "What you agreed to yourself is on your own page.",
        "/me",
        "Your page"))
    {
        Status = StatusCodes.Status403Forbidden,
    };
}
