using Postern.Approvals;
using Postern.Identity.SignIn;
using Postern.Identity.SignOut;
using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Device;

/// <summary>
/// RFC 8628 §3.3: a person brings the code of a device. The code is theirs from then on, and the question is put to
/// them on a page of its own; nothing happens by following a link.
/// </summary>
internal sealed class UserCodeEndpoint(AskBook asks, SignInThrottle throttle, PageForms forms)
{
    private const string Purpose = "device";

    private const string Wrong = "No device waits with that code. Check it, or let the device show you a new one.";

    /// <summary>Codes that may be tried in the window of the throttle, by one person and from one network.</summary>
    private const int PerPerson = 10, PerNetwork = 50;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/device", (HttpContext http, UserCodeEndpoint device) => device.Page(http, Brought(http), null))
            .For(Door.PersonOr(SignIn));
        routes.MapPost("/device", (HttpContext http, UserCodeEndpoint device, CancellationToken stop) =>
            device.LookUpAsync(http, stop)).For(Door.PersonOr(SignIn));
    }

    // Only what can be a code goes along to the sign-in page and back.
    private static SeeOther SignIn(HttpContext http) =>
        new(UserCode.Read(Brought(http)) is { } code ? $"/signin?to=device-{code}" : "/signin?to=device");

    private static string Brought(HttpContext http) => http.Request.Query[UserCodeView.CodeField].ToString();

    private async Task<IResult> LookUpAsync(HttpContext http, CancellationToken stop)
    {
        var caller = http.Caller;
        if (await forms.ReadAsync(http.Request, Purpose, caller.Session, stop) is not { } form)
        {
            return RefusedForm.Page;
        }

        if (UserCode.Read(form[UserCodeView.CodeField].ToString()) is not { } code)
        {
            return Page(http, "", Wrong, StatusCodes.Status422UnprocessableEntity);
        }

        var own = new Allowance($"user code {caller.Tenant} {caller.Subject}", PerPerson);
        if (!throttle.Admits([own, new($"user code {SourceNetwork.Of(http)}", PerNetwork)], out var wait))
        {
            http.Response.Headers.RetryAfter = $"{Math.Ceiling(wait.Value.TotalSeconds)}";
            return Page(http, "", SignInPages.TooMany(wait.Value), StatusCodes.Status429TooManyRequests);
        }

        // Over, answered and somebody else's are the same: there is no such code for you.
        if (await asks.ClaimAsync(code, caller, stop) is not { } ask)
        {
            return Page(http, code, Wrong, StatusCodes.Status422UnprocessableEntity);
        }

        throttle.Forgive(own);
        return new SeeOther($"/i/{ask.Name}");
    }

    private IResult Page(
        HttpContext http, string code, string? problem, int status = StatusCodes.Status200OK) =>
        new PageResult<UserCodePage, UserCodeView>(new()
        {
            Account = http.Caller.Email,
            Code = UserCode.Read(code) is { } read ? UserCode.Shown(read) : "",
            FormToken = forms.Token(http.Tenant.Id, Purpose, http.Caller.Session),
            SignOutToken = forms.Token(http.Tenant.Id, SignOutEndpoint.Purpose, http.Caller.Session),
            Problem = problem,
        })
        {
            Status = status,
        };
}
