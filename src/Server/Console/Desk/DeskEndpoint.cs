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

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/console", (HttpContext http, DeskPages pages, CancellationToken stop) =>
            ForAdminAsync(http, (caller, _) => pages.OverviewAsync(caller, stop))).For(Door.Admin);
        routes.MapGet("/console/clients", (HttpContext http, DeskPages pages, CancellationToken stop) =>
            ForAdminAsync(http, (caller, from) => pages.ClientsAsync(caller, from, stop))).For(Door.Admin);
        routes.MapGet("/console/grants", (HttpContext http, DeskPages pages, CancellationToken stop) =>
            ForAdminAsync(http, (caller, from) => pages.GrantsAsync(caller, from, stop))).For(Door.Admin);
        routes.MapGet("/console/log", (HttpContext http, DeskPages pages, CancellationToken stop) =>
            ForAdminAsync(http, (caller, from) => pages.LogAsync(caller, from, stop))).For(Door.Admin);
    }

    private static async Task<IResult> ForAdminAsync(HttpContext http, Func<Caller, string?, Task<IResult>> show) =>
        http.Features.Get<Caller>() switch
        {
            null => new SeeOther("/signin?to=console"),
            { IsAdmin: false } => NotYours,
            var caller => await show(caller, FromOf(http)),
        };

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
