namespace Postern.Tests.OAuth.Input;

internal static partial class Tables
{
    private static readonly Signer Foreign = new("k1");

    private static async Task<Attempt> CodeAsync(InputTown town)
    {
        var app = App.Web(town.Server);
        return new(
            [
                ("grant_type", "authorization_code"),
                ("code", await CodeOfAsync(town.Ada, app)),
                ("code_verifier", app.Verifier),
                ("redirect_uri", "https://web.example/cb"),
                ("scope", "mcp:read"),
                ("resource", app.Resource),
                ("client_id", app.Id),
                ("client_secret", app.Secret),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Others = OfClient(town, new()
            {
                [("grant_type", Wrong.OtherPurpose)] = Be("password"),
                [("code", Wrong.OtherClient)] = () => CodeOfAsync(town.Ada, App.Peer(town.Server)),
                [("code", Wrong.OtherTenant)] = () => town.CodeOfAcmeAsync(),
                [("code", Wrong.OtherPurpose)] = async () => (await app.LetInAsync(town.Ada)).RefreshToken,
                [("code", Wrong.Expired)] = () =>
                    LaterAsync(town, TimeSpan.FromMinutes(2), CodeOfAsync(town.Ada, app)),
                [("code", Wrong.Replayed)] = async () =>
                {
                    var code = await CodeOfAsync(town.Ada, app);
                    await app.RedeemAsync(code);
                    town.Server.Clock.Advance(TimeSpan.FromMinutes(1));
                    return code;
                },
                [("code_verifier", Wrong.OtherClient)] = Be(App.Peer(town.Server).Verifier),
                [("redirect_uri", Wrong.OtherClient)] = Be("https://peer.example/cb"),
            }),
        };
    }

    private static async Task<Attempt> RefreshAsync(InputTown town)
    {
        var app = App.Web(town.Server);
        return new(
            [
                ("grant_type", "refresh_token"),
                ("refresh_token", await RefreshOfAsync(town.Ada, app)),
                ("scope", "mcp:read"),
                ("resource", app.Resource),
                ("client_id", app.Id),
                ("client_secret", app.Secret),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Others = OfClient(town, new()
            {
                [("refresh_token", Wrong.OtherClient)] = () => RefreshOfAsync(town.Ada, App.Peer(town.Server)),
                [("refresh_token", Wrong.OtherTenant)] = async () => (await town.TokensOfAcmeAsync()).RefreshToken,
                [("refresh_token", Wrong.OtherPurpose)] = () => CodeOfAsync(town.Ada, app),
                [("refresh_token", Wrong.Expired)] = () =>
                    LaterAsync(town, TimeSpan.FromDays(200), RefreshOfAsync(town.Ada, app)),
                [("refresh_token", Wrong.Replayed)] = async () =>
                {
                    var token = await RefreshOfAsync(town.Ada, app);
                    await app.RefreshAsync(token);
                    town.Server.Clock.Advance(TimeSpan.FromMinutes(1));
                    return token;
                },
            }),
        };
    }

    // The assertion has proven the client, and so was used up, before anything else is looked at: each request has its
    // own.
    private static Task<Attempt> OwnAsync(InputTown town)
    {
        var attempt = Asserted(
            town,
            "/token",
            "keyed",
            ("grant_type", "client_credentials"),
            ("scope", "mcp:read"),
            ("resource", App.Web(town.Server).Resource),
            ("client_id", "keyed"));
        return Task.FromResult(attempt with { Only = null, Others = OfClient(town, attempt.Others) });
    }

    private static async Task<Attempt> ExchangeAsync(InputTown town)
    {
        var web = App.Web(town.Server);
        return new(
            [
                ("grant_type", Exchange),
                ("subject_token", (await web.LetInAsync(town.Ada)).AccessToken),
                ("subject_token_type", AccessType),
                ("requested_token_type", AccessType),
                ("scope", "mcp:read"),
                ("resource", web.Resource),
                ("audience", web.Resource),
                ("client_id", "back"),
                ("client_secret", WalkTown.Secret),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Others = OfClient(town, OfSubject(town, new()
            {
                [("requested_token_type", Wrong.OtherPurpose)] = Be(RefreshType),
                [("audience", Wrong.OtherTenant)] = Be(town.Acme.App.Resource),
                [("audience", Wrong.OtherPurpose)] = Be("inside.example"),
            })),
        };
    }

    private static async Task<Attempt> TransactAsync(InputTown town)
    {
        var web = App.Web(town.Server);
        return new(
            [
                ("grant_type", Exchange),
                ("subject_token", (await web.LetInAsync(town.Ada)).AccessToken),
                ("subject_token_type", AccessType),
                ("requested_token_type", TxnType),
                ("scope", "mcp:read"),
                ("audience", "inside.example"),
                ("request_context", """{"req_ip":"::1"}"""),
                ("request_details", """{"tool":"send"}"""),
                ("client_id", "back"),
                ("client_secret", WalkTown.Secret),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Others = OfClient(town, OfSubject(town, new()
            {
                [("audience", Wrong.OtherPurpose)] = Be(web.Resource),
            })),
        };
    }

    // A token of a resource that is not this client's stands for another client's.
    private static Dictionary<(string, Wrong), Func<Task<string>>> OfSubject(
        InputTown town, Dictionary<(string, Wrong), Func<Task<string>>> more)
    {
        var (web, files) = (App.Web(town.Server), ("resource", (string?)$"{town.Server.Issuer}/mcp/files"));
        more[("subject_token", Wrong.OtherClient)] = async () => (await web.LetInAsync(town.Ada, files)).AccessToken;
        more[("subject_token", Wrong.OtherTenant)] = async () =>
            (await town.TokensOfAcmeAsync()).AccessToken;
        more[("subject_token", Wrong.OtherPurpose)] = () => RefreshOfAsync(town.Ada, web);
        more[("subject_token", Wrong.Expired)] = () => LaterAsync(
            town, TimeSpan.FromMinutes(11), web.LetInAsync(town.Ada).ContinueWith(
                reply => reply.Result.AccessToken, TaskScheduler.Default));
        more[("subject_token_type", Wrong.OtherPurpose)] = Be(IdType);
        return more;
    }

    private static async Task<Attempt> SayWhoAsync(InputTown town)
    {
        var desk = town.AppOf("desk");
        return new(
            [
                ("grant_type", Exchange),
                ("subject_token", await RefreshOfAsync(town.Ada, desk)),
                ("subject_token_type", RefreshType),
                ("requested_token_type", IdJagType),
                ("scope", "mcp:read"),
                ("resource", "https://elsewhere.example/mcp"),
                ("audience", "https://elsewhere.example"),
                ("client_id", "desk"),
                ("client_secret", WalkTown.Secret),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Others = OfClient(town, new()
            {
                [("subject_token", Wrong.OtherClient)] = () => RefreshOfAsync(town.Ada, App.Peer(town.Server)),
                [("subject_token", Wrong.OtherTenant)] = async () => (await town.TokensOfAcmeAsync()).RefreshToken,
                [("subject_token", Wrong.OtherPurpose)] = () => CodeOfAsync(town.Ada, desk),
                [("subject_token", Wrong.Expired)] = () =>
                    LaterAsync(town, TimeSpan.FromDays(200), RefreshOfAsync(town.Ada, desk)),
                [("subject_token", Wrong.Replayed)] = async () =>
                {
                    var token = await RefreshOfAsync(town.Ada, desk);
                    await desk.RefreshAsync(token);
                    return token;
                },
                [("subject_token_type", Wrong.OtherPurpose)] = Be(AccessType),
                [("audience", Wrong.OtherPurpose)] = Be(town.Server.Issuer),
            }),
        };
    }

    private static Task<Attempt> AssertAsync(InputTown town)
    {
        var made = new Word(town);
        return Task.FromResult(new Attempt(
            [
                ("grant_type", Walker.JwtBearer),
                ("assertion", made.Sign()),
                ("scope", "mcp:read"),
                ("resource", App.Web(town.Server).Resource),
                ("client_id", "connector"),
                ("client_secret", WalkTown.Secret),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Others = OfClient(town, new()
            {
                [("assertion", Wrong.OtherClient)] = Be(made.Sign("client_id", "another")),
                [("assertion", Wrong.OtherTenant)] = Be(made.Sign("aud", town.Acme.Tenant.Issuer)),
                [("assertion", Wrong.OtherPurpose)] = Be(made.Sign(typ: "JWT")),
                [("assertion", Wrong.Expired)] = Be(made.Sign(life: -1)),
                [("assertion", Wrong.Replayed)] = async () =>
                {
                    var assertion = made.Sign();
                    await town.PostAsync("/token",
                    [
                        ("grant_type", Walker.JwtBearer), ("assertion", assertion), ("client_id", "connector"),
                        ("client_secret", WalkTown.Secret),
                    ]);
                    return assertion;
                },
            }),
        });
    }

    private static async Task<string> CodeOfAsync(
        Person person, App app, params (string Name, string? Value)[] changes) =>
        (await person.LetInAsync(app.Authorize(changes))).Code;

    private static async Task<string> RefreshOfAsync(Person person, App app) =>
        (await app.RedeemAsync(await CodeOfAsync(person, app))).RefreshToken;
}
