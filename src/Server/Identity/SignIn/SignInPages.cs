using Postern.Grants;
using Postern.Identity.Passkeys;
using Postern.Identity.Users;
using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;

namespace Postern.Identity.SignIn;

/// <summary>Shows the sign-in page and reads it back, each for the same browser.</summary>
internal sealed class SignInPages(PasskeyCeremonies passkeys, PageForms forms, Browser browser, Proposals proposals)
{
    private const string Purpose = "signin";

    /// <summary>One text for every cause: it must not tell whether an account exists.</summary>
    public const string Wrong = "That did not match an account here. Check both and try again.";

    private const string Over =
        "The request you came with is over, or was begun in another browser. Start again in the app.";

    public static string TooMany(TimeSpan wait) =>
        $"There were too many tries. Wait {PlainTime.Wait(wait)}, then try again.";

    public Task<PageResult<SignInPage, SignInView>> AskAsync(HttpContext http, string? transaction, string? to)
    {
        var proposal = proposals.Open(http.Tenant.Id, transaction, Browser.Known(http));
        var isOver = !string.IsNullOrEmpty(transaction) && proposal is null;
        return ShowAsync(
            http,
            new()
            {
                Transaction = isOver ? null : transaction,
                To = to,
                Email = EmailAddress.Normalize(proposal?.LoginHint) ?? "",
                FormToken = "",
                Problem = isOver ? Over : null,
            },
            StatusCodes.Status200OK);
    }

    public Task<PageResult<SignInPage, SignInView>> AgainAsync(
        HttpContext http, IFormCollection form, string problem, int status) =>
        ShowAsync(
            http,
            new()
            {
                Transaction = form[SignInView.TransactionField],
                To = form[SignInView.ToField],
                Email = form[SignInView.EmailField].ToString() is { Length: <= 254 } email ? email : "",
                FormToken = "",
                Problem = problem,
            },
            status);

    public Task<IFormCollection?> ReadAsync(HttpContext http, CancellationToken stop) =>
        forms.ReadAsync(http.Request, Purpose, Browser.Known(http), stop);

    public SignInReturn ReturnOf(HttpContext http, IFormCollection form) =>
        SignInReturn.Of(
            http.Tenant.Id,
            form[SignInView.TransactionField],
            form[SignInView.ToField],
            proposals,
            Browser.Known(http));

    private async Task<PageResult<SignInPage, SignInView>> ShowAsync(HttpContext http, SignInView view, int status)
    {
        var holder = browser.Ensure(http);
        var ceremony = await passkeys.BeginSignInAsync(http, holder);
        return new(view with
        {
            Waiting = SignInReturn.Of(http.Tenant.Id, view.Transaction, view.To, proposals, holder).Waiting,
            FormToken = forms.Token(http.Tenant.Id, Purpose, holder),
            PasskeyOptions = ceremony?.Options,
            PasskeyState = ceremony?.State,
        })
        {
            Status = status,
        };
    }
}
