using System.Security.Cryptography;
using Postern.Audit;
using Postern.Identity.Passkeys;
using Postern.Identity.Passwords;
using Postern.Identity.SignIn;
using Postern.Identity.Users;
using Postern.Platform.Database;
using Postern.Platform.Http;
using Postern.Platform.Pages;
using Postern.Platform.Tenants;

namespace Postern.Identity.Setup;

/// <summary>
/// Shows the setup page, checks what comes back, and makes the account with everything that belongs to it in one unit.
/// </summary>
internal sealed class SetupDesk(
    PasskeyCeremonies passkeys,
    PasswordHashes hashes,
    UserStore users,
    SetupLinks links,
    LetIn letIn,
    PageForms forms,
    Browser browser,
    AuditLog audit,
    TimeProvider clock,
    RandomNumberGenerator random)
{
    private const string Purpose = "setup";

    public async Task<PageResult<SetupPage, SetupView>> ShowAsync(
        HttpContext http, string link, string email, string? problem)
    {
        var holder = browser.Ensure(http);
        var ceremony = await passkeys.BeginAddAsync(http, NewId(), "administrator", holder);
        var view = new SetupView
        {
            Link = link,
            Email = email.Length <= EmailAddress.MaxLength ? email : "",
            Problem = problem,
            FormToken = forms.Token(http.Tenant.Id, Purpose, holder),
            PasskeyOptions = ceremony?.Options,
            PasskeyState = ceremony?.State,
        };
        return new(view)
        {
            Status = problem is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity,
        };
    }

    public Task<IFormCollection?> ReadAsync(HttpContext http, CancellationToken stop) =>
        forms.ReadAsync(http.Request, Purpose, Browser.Known(http), stop);

    /// <summary>The account the form asks for, or what is wrong with it.</summary>
    public async Task<(string? Problem, Candidate? Candidate)> CheckAsync(
        HttpContext http, IFormCollection form, CancellationToken stop)
    {
        var (email, password) =
            (form[SetupView.EmailField].ToString().Trim(), form[SetupView.PasswordField].ToString());
        if (EmailAddress.Normalize(email) is null)
        {
            return ("That is not an e-mail address.", null);
        }

        if (await users.FindByEmailAsync(http.Tenant.Id, email, stop) is not null)
        {
            return ("There is an account with this e-mail already. Take another one.", null);
        }

        return form[SetupView.PasskeyField].ToString() is { Length: > 0 } answer
            ? await WithPasskeyAsync(http, form, email, answer)
            : await WithPasswordAsync(http, email, password, stop);
    }

    /// <summary>False when another was quicker with the link or the address; then nothing was made.</summary>
    public Task<bool> MakeAsync(HttpContext http, Candidate candidate, Secret link) =>
        letIn.BeginAsync(http, candidate.User, candidate.Passkey, async unit =>
            !await UserStore.HasAsync(unit, candidate.User.Tenant, candidate.User.Email)
            && await links.SpendAsync(unit, candidate.User.Tenant, link)
            && await WriteAsync(unit, candidate, http));

    private async ValueTask<bool> WriteAsync(Unit unit, Candidate candidate, HttpContext http)
    {
        // The link is spent by now; a failure from here on must take that back, and only an exception does.
        if (!await UserStore.InsertAsync(unit, candidate.User)
            || (candidate.Passkey is { } passkey && !await PasskeyStore.InsertAsync(unit, passkey)))
        {
            throw new InvalidOperationException("The address or the passkey was taken between two statements.");
        }

        audit.Write(unit, new()
        {
            Tenant = candidate.User.Tenant,
            Kind = AuditKinds.UserCreated,
            User = candidate.User.Id,
            Reason = "by the setup link",
            Network = SourceNetwork.Of(http),
        });
        return true;
    }

    private async Task<(string?, Candidate?)> WithPasskeyAsync(
        HttpContext http, IFormCollection form, string email, string answer) =>
        await passkeys.FinishAddAsync(http, answer, form[SetupView.StateField], Browser.Known(http)) is { } made
            ? (null, new(NewUser(http, email, made.Subject, null), made))
            : ("The passkey did not work. Try again, or use a password.", null);

    private async Task<(string?, Candidate?)> WithPasswordAsync(
        HttpContext http, string email, string password, CancellationToken stop) =>
        PasswordRules.Refuse(password, email) is { } problem
            ? (problem, null)
            : (null, new(NewUser(http, email, NewId(), await hashes.MakeAsync(password, stop)), null));

    private SubjectId NewId() => User.NewId(clock.GetUtcNow(), random);

    private User NewUser(HttpContext http, string email, SubjectId id, string? hash) => new()
    {
        Tenant = http.Tenant.Id,
        Id = id,
        Email = email,
        PasswordHash = hash,
        IsAdmin = true,
        CreatedAt = clock.GetUtcNow(),
    };
}

/// <summary>An account that could be made.</summary>
internal sealed record Candidate(User User, Passkey? Passkey);
