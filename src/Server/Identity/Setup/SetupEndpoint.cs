using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;

namespace Postern.Identity.Setup;

/// <summary>Whoever holds the setup link makes the account that runs this installation.</summary>
internal static class SetupEndpoint
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/setup", ShowAsync).Open();
        routes.MapPost("/setup", FinishAsync).Open();
    }

    private static async Task<IResult> ShowAsync(
        HttpContext http, SetupDesk desk, SetupLinks links, CancellationToken stop) =>
        http.Request.Query[SetupView.LinkField].ToString() is { Length: > 0 } link
            && await links.IsGoodAsync(http.Tenant.Id, new(link), stop)
            ? await desk.ShowAsync(http, link, "", null)
            : Over;

    private static async Task<IResult> FinishAsync(
        HttpContext http, SetupDesk desk, SetupLinks links, CancellationToken stop)
    {
        if (await desk.ReadAsync(http, stop) is not { } form)
        {
            return RefusedForm.Page;
        }

        var link = form[SetupView.LinkField].ToString();
        if (!await links.IsGoodAsync(http.Tenant.Id, new(link), stop))
        {
            return Over;
        }

        var (problem, candidate) = await desk.CheckAsync(http, form, stop);
        if (candidate is null)
        {
            return await desk.ShowAsync(http, link, form[SetupView.EmailField].ToString(), problem);
        }

        return await desk.MakeAsync(http, candidate, new(link)) ? new SeeOther("/console") : Over;
    }

    private static PageResult<ErrorPage, ErrorView> Over => new(new(
        "This link is not good any more",
        "A setup link works once, for one hour, and only while nobody runs this server yet.",
        "If an account exists, sign in. If not, restart the server: it prints a new link.",
        "/signin",
        "Sign in"))
    {
        Status = StatusCodes.Status410Gone,
    };
}
