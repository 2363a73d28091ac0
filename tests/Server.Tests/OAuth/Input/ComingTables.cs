using System.Web;
using AngleSharp.Html.Dom;
using Postern.Tests.Identity;
using Postern.Tests.Tenants;

namespace Postern.Tests.OAuth.Input;

/// <summary>Signing in, by a password and by a passkey.</summary>
internal static partial class Tables
{
    private static async Task<Attempt> ShowSignInAsync(InputTown town)
    {
        var person = new Person(town.Server);
        return new(
            [(Transaction, await BegunAsync(town, person)), ("to", "console")],
            async fields => Seen.Told(await Seen.ReadAsync(person, "/signin?" + InputTown.Encode(fields))))
        {
            Others = OfBegun(town),
        };
    }

    /// <summary>The request that a browser without a session is sent to sign in with.</summary>
    private static async Task<string> BegunAsync(InputTown town, Person person, Estate? at = null)
    {
        var address = at is null ? town.AppOf("site").Authorize() : at.Ask;
        using var answer = await person.GetAsync(address);
        return HttpUtility.ParseQueryString(answer.Headers.Location!.OriginalString.Split('?')[1])[Transaction]!;
    }

    private static Dictionary<(string, Wrong), Func<Task<string>>> OfBegun(InputTown town) => new()
    {
        [(Transaction, Wrong.OtherClient)] = async () =>
        {
            using var another = new Person(town.Server);
            return await BegunAsync(town, another);
        },
        [(Transaction, Wrong.OtherTenant)] = async () =>
        {
            using var another = town.Acme.Visit();
            return await BegunAsync(town, another, town.Acme);
        },
        [(Transaction, Wrong.OtherPurpose)] = () => FormOfDeviceAsync(town.Ada),
        [("to", Wrong.OtherPurpose)] = Be("https://elsewhere.example/"),
    };

    // Who tries too often waits; here nobody does.
    private static Task<(Person Person, IHtmlDocument Page)> LaterAtSignInAsync(InputTown town, Estate? at = null)
    {
        town.Server.Clock.Advance(TimeSpan.FromMinutes(15));
        return AtSignInAsync(town, at);
    }

    private static async Task<(Person Person, IHtmlDocument Page)> AtSignInAsync(InputTown town, Estate? at = null)
    {
        var person = at?.Visit() ?? new Person(town.Server);
        return (person, await Seen.ReadAsync(person, $"{at?.Tenant.Path}/signin"));
    }

    private static async Task<Attempt> SignInAsync(InputTown town)
    {
        var (person, page) = await LaterAtSignInAsync(town);
        var form = FieldOf(page, "/signin", FormField);
        var attempt = Sent(
            person,
            "/signin",
            "/authorize",
            ("email", Person.Ada),
            ("password", Person.AdasPassword),
            (FormField, form),
            (Transaction, await BegunAsync(town, person)));
        var others = new Dictionary<(string, Wrong), Func<Task<string>>>(
            OfForm(town, "/signout", form).Concat(OfBegun(town)))
        {
            [("email", Wrong.OtherClient)] = Be(Person.Bob),
            [("email", Wrong.OtherTenant)] = Be("nobody@example.test"),
            [("password", Wrong.OtherClient)] = Be(Person.BobsPassword),
            [("password", Wrong.OtherPurpose)] = Be(WrongPassword),
            [(FormField, Wrong.OtherClient)] = async () =>
                FieldOf((await AtSignInAsync(town)).Page, "/signin", FormField),
            [(FormField, Wrong.OtherTenant)] = async () =>
                FieldOf((await AtSignInAsync(town, town.Acme)).Page, "/signin", FormField),
            [(Transaction, Wrong.Expired)] = () =>
                LaterAsync(town, TimeSpan.FromMinutes(11), BegunAsync(town, person)),
        };
        return attempt with { Left = [("to", "console")], Others = others };
    }

    private static async Task<Attempt> SignInByPasskeyAsync(InputTown town)
    {
        var key = await KeyOfAdaAsync(town);
        var (person, page) = await LaterAtSignInAsync(town, town.Named);
        var (form, state) = (FieldOf(page, "/signin", FormField), FieldOf(page, "/signin", "state"));
        var answer = key.Get(SoftKey.OptionsOn(page));
        return Sent(
            person, "/signin", "/me", (FormField, form), ("passkey", answer), ("state", state)) with
        {
            Only = ["passkey", "state"],
            Others = OfPasskey(
                town,
                state,
                async () =>
                {
                    var (_, other) = await AtSignInAsync(town, town.Named);
                    return (FieldOf(other, "/signin", "state"), key.Get(SoftKey.OptionsOn(other)));
                },
                async () =>
                {
                    await Seen.ActAsync(
                        person, "/signin", "/me", [(FormField, form), ("passkey", answer), ("state", state)]);
                    return (state, answer);
                }),
        };
    }

    private static Dictionary<(string, Wrong), Func<Task<string>>> OfPasskey(
        InputTown town,
        string state,
        Func<Task<(string State, string Answer)>> elsewhere,
        Func<Task<(string State, string Answer)>>? used = null)
    {
        var others = new Dictionary<(string, Wrong), Func<Task<string>>>
        {
            [("passkey", Wrong.OtherClient)] = async () => (await elsewhere()).Answer,
            [("state", Wrong.OtherClient)] = async () => (await elsewhere()).State,
            [("state", Wrong.Expired)] = () => LaterAsync(town, TimeSpan.FromMinutes(6), Task.FromResult(state)),
        };
        if (used is not null)
        {
            others[("passkey", Wrong.Replayed)] = async () => (await used()).Answer;
            others[("state", Wrong.Replayed)] = async () => (await used()).State;
        }

        return others;
    }

    private static async Task<SoftKey> KeyOfAdaAsync(InputTown town)
    {
        var key = new SoftKey(town.Named.Tenant.Origin);
        using var person = town.Named.Visit();
        await person.SignInAsync();
        await ForgetPasskeysAsync(person);
        var page = (await person.OpenAsync("/me")).Page!;
        var word = await Seen.ActAsync(person, "/me/passkeys/add", "/me",
            [
                (FormField, FieldOf(page, "/me/passkeys/add", FormField)),
                ("state", FieldOf(page, "/me/passkeys/add", "state")),
                ("passkey", key.Create(SoftKey.OptionsOn(page))),
            ]);
        Assert.Equal(Attempt.Good, word);
        return key;
    }

    // There is no room for very many.
    private static async Task ForgetPasskeysAsync(Person person)
    {
        var page = (await person.OpenAsync("/me")).Page!;
        foreach (var form in page.QuerySelectorAll("form[action$='/me/passkeys/remove']"))
        {
            await Seen.ActAsync(person, "/me/passkeys/remove", "/me",
                [.. form.QuerySelectorAll("input").Select(
                    input => (input.GetAttribute("name")!, (string?)input.GetAttribute("value")))]);
        }
    }
}
