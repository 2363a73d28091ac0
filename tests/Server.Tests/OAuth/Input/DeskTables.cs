using SessionRules = Postern.Identity.Sessions.Session;

namespace Postern.Tests.OAuth.Input;

/// <summary>Pages that are only looked at: by whom, and from where in a list.</summary>
internal static partial class Tables
{
    private const string Session = "Cookie";

    private static readonly (string Name, Func<InputTown, Task<Attempt>> Make)[] Desk =
    [
        ("GET /", town => ShownAsync(town, "/")),
        ("GET /console", town => ShownAsync(town, "/console")),
        ("GET /console/clients", town => TurnedAsync(town, "/console/clients", $"{town.Now}.web")),
        ("GET /console/agents", town => TurnedAsync(town, "/console/agents", "1")),
        ("GET /console/grants", async town => await TurnedAsync(
            town, "/console/grants", await GrantOfAsync(town, town.Ada))),
        ("GET /console/log", town => TurnedAsync(town, "/console/log", "3")),
    ];

    // What the browser itself brings to each of these pages.
    private static async Task<Attempt> ShownAsync(InputTown town, string path)
    {
        var ada = new Person(town.Server);
        await ada.SignInAsync();
        await town.AdaAtAcme.OpenAsync(town.Acme.Tenant.Path + "/me");
        return new(
            [(Session, SessionCookie(ada))],
            async fields => Seen.PageWord(await town.SendAsync(HttpMethod.Get, path, fields)))
        {
            Others = new()
            {
                [(Session, Wrong.Long)] = Be("postern_session=" + new string('x', 17_000)),
                [(Session, Wrong.Type)] = Be("postern_session=[7]"),
                [(Session, Wrong.Encoding)] = Be($"postern_session={Attempt.NoText}"),
                [(Session, Wrong.OtherClient)] = async () =>
                {
                    using var bob = new Person(town.Server, Person.Bob);
                    await bob.SignInAsync();
                    return SessionCookie(bob);
                },
                [(Session, Wrong.OtherTenant)] = Be(
                    "postern_session=" + town.AdaAtAcme.Cookie(town.Acme.Cookie("session"))),
                [(Session, Wrong.OtherPurpose)] = Be("postern_session=" + ada.Cookie("postern_browser")),
                [(Session, Wrong.Expired)] = () => LaterAsync(
                    town, SessionRules.Idle, Task.FromResult(
                        SessionCookie(ada))),
                [(Session, Wrong.Replayed)] = async () =>
                {
                    var form = await FormAsync(ada, "/signout");
                    var cookie = SessionCookie(ada);
                    await Seen.ActAsync(ada, "/signout", "/", [(FormField, form)]);
                    return cookie;
                },
            },
        };
    }

    // A list goes on where its links say, and begins at its beginning for everything else.
    private static async Task<Attempt> TurnedAsync(InputTown town, string path, string from)
    {
        await town.Ada.OpenAsync(path);
        return new(
            [("from", from)],
            async fields => Seen.Turned(await Seen.ReadAsync(town.Ada, $"{path}?{InputTown.Encode(fields)}")));
    }
}
