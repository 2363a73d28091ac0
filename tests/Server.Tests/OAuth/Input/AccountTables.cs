using Postern.Tests.Identity;

namespace Postern.Tests.OAuth.Input;

/// <summary>The pages on which a person looks after their own account.</summary>
internal static partial class Tables
{
    private const string FormField = "form", WrongPassword = "wrong-wrong-wrong-horse";

    private static (string Name, Func<InputTown, Task<Attempt>> Make)[] Account =>
    [
        ("GET /signin", ShowSignInAsync),
        ("POST /signin", SignInAsync),
        ("POST /signin with a passkey", SignInByPasskeyAsync),
        ("POST /signout", SignOutAsync),
        ("GET /setup", ShowSetupAsync),
        ("POST /setup", SetUpAsync),
        ("POST /setup with a passkey", SetUpByPasskeyAsync),
        ("GET /me", town => ShownAsync(town, "/me")),
        ("POST /me/grants/end", EndOwnGrantAsync),
        ("POST /me/browsers/end", EndBrowserAsync),
        ("POST /me/passkeys/add", AddPasskeyAsync),
        ("POST /me/passkeys/remove", RemovePasskeyAsync),
        ("POST /me/password", ChangePasswordAsync),
        .. Desk,
    ];

    /// <summary>A form of a page of ours, sent by the person whom it was shown to.</summary>
    private static Attempt Sent(
        Person person, string path, string then, params (string Name, string? Value)[] fields) =>
        new(fields, sent => Seen.ActAsync(person, path, then, sent));

    /// <summary>The form of another browser, of another tenant, for something else, and one that lay open.</summary>
    private static Dictionary<(string, Wrong), Func<Task<string>>> OfForm(
        InputTown town, string form, string own)
    {
        return new()
        {
            [(FormField, Wrong.OtherClient)] = async () =>
            {
                using var another = new Person(town.Server, Person.Bob);
                return await FormAsync(another, form);
            },
            [(FormField, Wrong.OtherTenant)] = () => FormAsync(town.AdaAtAcme, form, town.Acme.Tenant.Path),
            [(FormField, Wrong.OtherPurpose)] = () => FormOfDeviceAsync(town.Ada),
            [(FormField, Wrong.Expired)] = () => LaterAsync(town, TimeSpan.FromHours(3), Task.FromResult(own)),
        };
    }

    private static async Task<string> FormAsync(Person person, string form, string at = "") =>
        FieldOf((await person.OpenAsync(at + "/me")).Page!, form, FormField);

    private static string FieldOf(AngleSharp.Dom.IParentNode page, string form, string name) =>
        page.QuerySelector($"form[action$='{form}'] input[name={name}], form#{form.Split('/')[^1]} input[name={name}]")
            ?.GetAttribute("value") ?? throw new InvalidOperationException($"No {form} on the page.");

    // The one table of those that sign out in which what a browser says by itself has rows: for all forms of ours.
    private static async Task<Attempt> SignOutAsync(InputTown town)
    {
        var bob = new Person(town.Server, Person.Bob);
        await bob.SignInAsync();
        var form = await FormAsync(bob, "/signout");
        var attempt = new Attempt(
            [
                (FormField, form), (Transaction, "any"), (Session, SessionCookie(bob)), (Asking, town.Server.Issuer),
            ],
            async fields => Seen.PageWord(
                await town.SendAsync(
                    "/signout?" + InputTown.Encode([.. fields.Where(field => field.Name is Transaction)]),
                    [.. fields.Where(field => field.Name is not Transaction)]),
                "/signin"))
        {
            Left = [("Sec-Fetch-Site", "same-origin")],
            Others = OfForm(town, "/signout", form),
        };
        attempt.Others[(Transaction, Wrong.OtherPurpose)] = Be("https://elsewhere.example/");
        attempt.Others[(Session, Wrong.OtherClient)] = () => Task.FromResult(SessionCookie(town.Ada));
        attempt.Others[(Asking, Wrong.OtherTenant)] = Be(town.Named.Tenant.Origin);
        attempt.Others[(Asking, Wrong.OtherPurpose)] = Be("https://elsewhere.example");
        attempt.Others[("Sec-Fetch-Site", Wrong.OtherPurpose)] = Be("cross-site");
        return attempt;
    }

    private static string SessionCookie(Person person) => "postern_session=" + person.Cookie("postern_session");

    private static async Task<(Person Bob, string Form)> InAsync(InputTown town)
    {
        var bob = new Person(town.Server, Person.Bob);
        await bob.SignInAsync();
        return (bob, await FormAsync(bob, "/me/browsers/end"));
    }

    private static Attempt Owned(
        InputTown town, Person person, string path, string form, params (string Name, string? Value)[] fields) =>
        Sent(person, path, "/me", [(FormField, form), .. fields]) with
        {
            Others = OfForm(town, "/me/browsers/end", form),
        };

    private static async Task<Attempt> EndOwnGrantAsync(InputTown town)
    {
        var (bob, form) = await InAsync(town);
        var attempt = Owned(town, bob, "/me/grants/end", form, ("id", await GrantOfAsync(town, bob, Person.Bob)));
        attempt.Others[("id", Wrong.OtherClient)] = () => GrantOfAsync(town, town.Ada);
        attempt.Others[("id", Wrong.OtherTenant)] = () => GrantOfAcmeAsync(town);
        attempt.Others[("id", Wrong.OtherPurpose)] = () => Task.FromResult(SessionOf(bob));
        attempt.Others[("id", Wrong.Replayed)] = async () =>
        {
            var ended = await GrantOfAsync(town, bob, Person.Bob);
            await town.AdministerAsync(HttpMethod.Delete, "/api/grants/" + ended);
            return ended;
        };
        return attempt;
    }

    private static string SessionOf(Person person) => new Secret(person.Cookie("postern_session")!).Hash();

    private static async Task<Attempt> EndBrowserAsync(InputTown town)
    {
        var (bob, form) = await InAsync(town);
        var (other, formThere) = await InAsync(town);
        var attempt = Owned(town, bob, "/me/browsers/end", form, ("id", SessionOf(other)));
        attempt.Others[("id", Wrong.OtherClient)] = () => Task.FromResult(SessionOf(town.Ada));
        attempt.Others[("id", Wrong.OtherTenant)] = Be(
            new Secret(town.AdaAtAcme.Cookie(town.Acme.Cookie("session"))!).Hash());
        attempt.Others[("id", Wrong.OtherPurpose)] = () => GrantOfAsync(town, bob, Person.Bob);
        attempt.Others[("id", Wrong.Replayed)] = async () =>
        {
            var (third, _) = await InAsync(town);
            var ended = SessionOf(third);
            await Seen.ActAsync(bob, "/me/browsers/end", "/me", [(FormField, form), ("id", ended)]);
            return ended;
        };
        attempt.Others[(FormField, Wrong.OtherClient)] = Be(formThere);
        return attempt;
    }

    private static async Task<Attempt> AddPasskeyAsync(InputTown town)
    {
        var ada = town.Named.Visit();
        await ada.SignInAsync();
        await ForgetPasskeysAsync(ada);
        var page = (await ada.OpenAsync("/me")).Page!;
        var (key, state) = (new SoftKey(town.Named.Tenant.Origin), FieldOf(page, "/me/passkeys/add", "state"));
        var form = FieldOf(page, "/me/passkeys/add", FormField);
        var answer = key.Create(SoftKey.OptionsOn(page));
        var others = new Dictionary<(string, Wrong), Func<Task<string>>>(
            OfForm(town, "/me/browsers/end", form).Concat(OfPasskey(
                town,
                state,
                async () =>
                {
                    var other = town.Named.Visit(Person.Bob);
                    var there = (await other.OpenAsync("/me")).Page!;
                    return (FieldOf(there, "/me/passkeys/add", "state"), key.Create(SoftKey.OptionsOn(there)));
                },
                async () =>
                {
                    await Seen.ActAsync(
                        ada, "/me/passkeys/add", "/me", [(FormField, form), ("passkey", answer), ("state", state)]);
                    return (state, answer);
                })));
        return Sent(
            ada, "/me/passkeys/add", "/me", (FormField, form), ("passkey", answer), ("state", state)) with
        {
            Others = others,
        };
    }

    private static async Task<Attempt> RemovePasskeyAsync(InputTown town)
    {
        using var key = await KeyOfAdaAsync(town);
        var ada = town.Named.Visit();
        await ada.SignInAsync();
        var form = await FormAsync(ada, "/me/browsers/end");
        var attempt = Owned(town, ada, "/me/passkeys/remove", form, ("id", key.Id));
        attempt.Others[("id", Wrong.OtherPurpose)] = () => Task.FromResult(SessionOf(town.Ada));
        attempt.Others[("id", Wrong.Replayed)] = async () =>
        {
            await Seen.ActAsync(ada, "/me/passkeys/remove", "/me", [(FormField, form), ("id", key.Id)]);
            return key.Id;
        };
        return attempt;
    }

    // What was changed is changed back, so that the next one knows it.
    private static async Task<Attempt> ChangePasswordAsync(InputTown town)
    {
        town.Server.Clock.Advance(TimeSpan.FromMinutes(15));
        const string path = "/me/password", wanted = "another-horse-another-battery";
        var bob = town.Named.Visit(Person.Bob);
        await bob.SignInAsync();
        var form = await FormAsync(bob, path);
        var attempt = Owned(town, bob, path, form, ("password", Person.BobsPassword), ("new_password", wanted));
        attempt.Others[("password", Wrong.OtherClient)] = Be(Person.AdasPassword);
        attempt.Others[("password", Wrong.OtherPurpose)] = Be(WrongPassword);
        attempt.Others[("new_password", Wrong.OtherPurpose)] = Be(Person.Bob);
        attempt.Others[("new_password", Wrong.Replayed)] = Be(Person.BobsPassword);
        return attempt with
        {
            SendAsync = async sent =>
            {
                var word = await Seen.ActAsync(bob, path, "/me", sent);
                if (word is Attempt.Good)
                {
                    var made = sent.Last(field => field.Name is "new_password").Value;
                    Assert.Equal(Attempt.Good, await Seen.ActAsync(bob, path, "/me",
                        [(FormField, form), ("password", made), ("new_password", Person.BobsPassword)]));
                }

                return word;
            },
        };
    }
}
