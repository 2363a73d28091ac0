using System.Diagnostics;
using Postern.Audit;
using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;

namespace Postern.Identity.SignIn;

/// <summary>A person proves who they are, and the browser goes on with what it had begun.</summary>
internal static class SignInEndpoint
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/signin", ShowAsync).Open();
        routes.MapPost("/signin", TryAsync).Open();
    }

    private static async Task<IResult> ShowAsync(HttpContext http, SignInPages pages) =>
        await pages.AskAsync(
            http, http.Request.Query[SignInView.TransactionField], http.Request.Query[SignInView.ToField]);

    private static async Task<IResult> TryAsync(
        HttpContext http, SignInPages pages, SignInTries tries, LetIn letIn, AuditLog audit, CancellationToken stop)
    {
        if (await pages.ReadAsync(http, stop) is not { } form)
        {
            return RefusedForm.Page;
        }

        switch (await tries.TryAsync(http, form, stop))
        {
            case SignInOutcome.Proven proven when await letIn.BeginAsync(http, proven.User, proven.Used):
                return new SeeOther(pages.ReturnOf(http, form).Path);
            case SignInOutcome.Proven or SignInOutcome.Wrong { Known: null }:
                await audit.WriteAsync(Failed(http, null, "not proven"));
                return await pages.AgainAsync(http, form, SignInPages.Wrong, StatusCodes.Status422UnprocessableEntity);
            case SignInOutcome.Wrong wrong:
                await audit.WriteAsync(Failed(http, wrong.Known?.Id, wrong.Reason));
                return await pages.AgainAsync(http, form, SignInPages.Wrong, StatusCodes.Status422UnprocessableEntity);
            case SignInOutcome.TooMany late:
                http.Response.Headers.RetryAfter = $"{Math.Ceiling(late.Wait.TotalSeconds)}";
                return await pages.AgainAsync(
                    http, form, SignInPages.TooMany(late.Wait), StatusCodes.Status429TooManyRequests);
            default:
                throw new UnreachableException();
        }
    }

    private static AuditEntry Failed(HttpContext http, SubjectId? user, string reason) => new()
    {
        Tenant = http.Tenant.Id,
        Kind = AuditKinds.UserFailed,
        User = user,
        Effect = "deny",
        Reason = reason,
        Network = SourceNetwork.Of(http),
    };
}
