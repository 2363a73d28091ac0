using Microsoft.AspNetCore.Identity;
using Postern.Identity.Passkeys;
using Postern.Identity.Passwords;
using Postern.Identity.Users;
using Postern.Platform.Http;
using Postern.Platform.Tenants;

namespace Postern.Identity.SignIn;

/// <summary>Tries a password or a passkey, within the allowances of the account, the network and the browser.</summary>
internal sealed class SignInTries(
    UserStore users,
    PasswordHashes hashes,
    PasskeyCeremonies passkeys,
    SignInThrottle throttle,
    KnownBrowser known)
{
    public Task<SignInOutcome> TryAsync(HttpContext http, IFormCollection form, CancellationToken stop) =>
        form[SignInView.PasskeyField].ToString() is { Length: > 0 } answer
            ? PasskeyAsync(http, answer, form[SignInView.StateField])
            : PasswordAsync(
                http, form[SignInView.EmailField].ToString(), form[SignInView.PasswordField].ToString(), stop);

    private async Task<SignInOutcome> PasswordAsync(
        HttpContext http, string email, string password, CancellationToken stop)
    {
        var user = await users.FindByEmailAsync(http.Tenant.Id, email, stop);
        return await CheckAsync(http, user, email, password, stop);
    }

    /// <summary>Checks the password of a person, if there is one of that address; each check is a try.</summary>
    public async Task<SignInOutcome> CheckAsync(
        HttpContext http, User? user, string email, string password, CancellationToken stop)
    {
        var allowances = Allowances(http, user, email);
        if (!throttle.Admits(allowances, out var wait))
        {
            return new SignInOutcome.TooMany(wait.Value);
        }

        // With an unknown address, or a person without password, the same work is done: the time tells nothing.
        var tried = password.Length <= PasswordRules.MaxLength ? password : "";
        var answer = await hashes.CheckAsync(user?.PasswordHash, tried, stop);
        if (answer is null)
        {
            return new SignInOutcome.TooMany(TimeSpan.FromSeconds(10));
        }

        if (user is not { PasswordHash: not null, DisabledAt: null } || answer is PasswordVerificationResult.Failed)
        {
            return new SignInOutcome.Wrong(user, user is null ? "no such account" : "wrong password");
        }

        throttle.Forgive(allowances[0]);
        if (answer is PasswordVerificationResult.SuccessRehashNeeded)
        {
            var stronger = await hashes.MakeAsync(password, stop);
            await users.RehashAsync(user, stronger);
            user = user with { PasswordHash = stronger };
        }

        return new SignInOutcome.Proven(user, null);
    }

    private async Task<SignInOutcome> PasskeyAsync(HttpContext http, string answer, string? state)
    {
        // Whose passkey it is stands in the answer; the cookie tells before whether strangers may be in the way.
        var allowance = known.NameOf(http) is { } name ? PerBrowser(name) : PerNetwork(http);
        if (!throttle.Admits([allowance], out var wait))
        {
            return new SignInOutcome.TooMany(wait.Value);
        }

        if (await passkeys.FinishSignInAsync(http, answer, state, Browser.Known(http)) is not var (user, used))
        {
            return new SignInOutcome.Wrong(null, "the passkey's answer does not hold");
        }

        if (known.NameFor(http, user) is { } own)
        {
            throttle.Forgive(PerBrowser(own));
        }

        return new SignInOutcome.Proven(user, used);
    }

    // The first is the account's own.
    private IReadOnlyList<Allowance> Allowances(HttpContext http, User? user, string email)
    {
        if (user is not null && known.NameFor(http, user) is { } name)
        {
            return [PerBrowser(name)];
        }

        var account = new Secret(EmailAddress.Normalize(email) ?? "").Hash();
        return
        [
            new($"account {http.Tenant.Id} {account} {SourceNetwork.Of(http)}", SignInThrottle.PerAccount),
            PerNetwork(http),
        ];
    }

    private static Allowance PerBrowser(string name) => new($"known {name}", SignInThrottle.PerAccount);

    private static Allowance PerNetwork(HttpContext http) =>
        new($"network {http.Tenant.Id} {SourceNetwork.Of(http)}", SignInThrottle.PerNetwork);
}
