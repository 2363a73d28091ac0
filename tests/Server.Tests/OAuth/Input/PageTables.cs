namespace Postern.Tests.OAuth.Input;

/// <summary>Our own pages: their addresses, and the forms that they post.</summary>
internal static partial class Tables
{
    private const string Transaction = "transaction";

    private static async Task<Question> AskedAsync(InputTown town, Person? person = null) =>
        await (person ?? town.Ada).AskedAsync(town.AppOf("site").Authorize(
            ("scope", "openid email mcp:read offline_access"), ("prompt", "consent")));

    private static string TransactionOf(Question question) =>
        System.Web.HttpUtility.ParseQueryString(question.Address.Split('?')[1])[Transaction]!;

    private static Dictionary<(string, Wrong), Func<Task<string>>> OfTransaction(InputTown town) => new()
    {
        [(Transaction, Wrong.OtherClient)] = async () =>
        {
            using var another = new Person(town.Server);
            return TransactionOf(await AskedAsync(town, another));
        },
        [(Transaction, Wrong.OtherTenant)] = async () => TransactionOf(
            await town.AdaAtAcme.AskedAsync(town.Acme.Tenant.Path + town.Acme.App.Authorize(("prompt", "consent")))),
        [(Transaction, Wrong.OtherPurpose)] = async () => (await AskedAsync(town)).Fields()["form"][0],
        [(Transaction, Wrong.Expired)] = async () => TransactionOf(
            await LaterAsync(town, TimeSpan.FromMinutes(11), AskedAsync(town))),
        [(Transaction, Wrong.Replayed)] = async () =>
        {
            var question = await AskedAsync(town);
            await town.Ada.AnswerAsync(question, "deny");
            return TransactionOf(question);
        },
    };

    private static Task<Attempt> GoOnAsync(InputTown town) => OpenedAsync(town, "/authorize");

    private static Task<Attempt> AskAsync(InputTown town) => OpenedAsync(town, "/consent");

    private static async Task<Attempt> OpenedAsync(InputTown town, string path) => new(
        [(Transaction, TransactionOf(await AskedAsync(town)))], fields => InputTown.OpenAsync(town.Ada, path, fields))
    {
        Others = OfTransaction(town),
    };

    private static async Task<Attempt> AnswerAsync(InputTown town)
    {
        var question = await AskedAsync(town);
        var others = OfTransaction(town);
        others[("form", Wrong.OtherClient)] = async () => (await AskedAsync(town)).Fields()["form"][0];
        return Answered(town, question, others);
    }

    // Whatever is no yes is a no, and that is an answer.
    private static Attempt Answered(
        InputTown town, Question question, Dictionary<(string, Wrong), Func<Task<string>>> others)
    {
        var fields = question.Fields();
        (string Name, string? Value)[] sent =
        [
            .. fields.Where(field => field.Key is not "decision").Select(field => (field.Key, (string?)field.Value[0])),
            ("decision", "allow"),
        ];
        others[("form", Wrong.OtherPurpose)] = async () => await FormOfDeviceAsync(town.Ada);
        others[("form", Wrong.OtherTenant)] = async () => (await town.AdaAtAcme.AskedAsync(
            town.Acme.Tenant.Path + town.Acme.App.Authorize(("prompt", "consent")))).Fields()["form"][0];
        others[("tool", Wrong.OtherPurpose)] = Be("no-such-tool");
        others[("until", Wrong.OtherPurpose)] = Be("999999999");
        return new(sent, form => InputTown.SendPageAsync(town.Ada, question.Address, form))
        {
            Ends = ["access_denied", "denied"],
            Others = others,
        };
    }

    private static async Task<string> FormOfDeviceAsync(Person person) => (await person.OpenAsync("/device")).Page!
        .Forms["device"]!.QuerySelector("input[name=form]")!.GetAttribute("value")!;

    private static async Task<Attempt> BringAsync(InputTown town)
    {
        town.Server.Clock.Advance(TimeSpan.FromMinutes(15));
        return new(
            [("user_code", await UserCodeAsync(town))],
            async fields =>
            {
                var word = await InputTown.OpenAsync(town.Ada, "/device", fields);
                return word is "asked" ? Attempt.Good : word;
            })
        {
            Others = OfUserCode(town),
        };
    }

    private static async Task<Attempt> TypeAsync(InputTown town)
    {
        town.Server.Clock.Advance(TimeSpan.FromMinutes(15));
        var others = OfUserCode(town);
        others[("form", Wrong.OtherClient)] = async () =>
        {
            using var another = new Person(town.Server);
            return await FormOfDeviceAsync(another);
        };
        others[("form", Wrong.OtherTenant)] = () => FormOfAcmeAsync(town);
        others[("form", Wrong.OtherPurpose)] = async () => (await AskedAsync(town)).Fields()["form"][0];
        others[("form", Wrong.Expired)] = () =>
            LaterAsync(town, TimeSpan.FromHours(3), FormOfDeviceAsync(town.Ada));
        return new(
            [("form", await FormOfDeviceAsync(town.Ada)), ("user_code", await UserCodeAsync(town))],
            fields => InputTown.SendPageAsync(town.Ada, "/device", fields))
        {
            Others = others,
        };
    }

    private static async Task<string> FormOfAcmeAsync(InputTown town) =>
        (await town.AdaAtAcme.OpenAsync(town.Acme.Tenant.Path + "/device")).Page!
            .Forms["device"]!.QuerySelector("input[name=form]")!.GetAttribute("value")!;

    private static async Task<string> UserCodeAsync(InputTown town) =>
        (await Gadget.Tv(town.Server).AskAsync()).Member("user_code")!;

    private static Dictionary<(string, Wrong), Func<Task<string>>> OfUserCode(InputTown town) => new()
    {
        [("user_code", Wrong.OtherClient)] = async () =>
        {
            var code = await UserCodeAsync(town);
            using var bob = new Person(town.Server, Person.Bob);
            using var typed = await Gadget.TypeAsync(bob, code);
            return code;
        },
        [("user_code", Wrong.OtherTenant)] = async () =>
        {
            var id = await town.Acme.RegisterAsync(Gadget.GrantType);
            var app = new App(town.Acme.Http, town.Acme.Tenant.Issuer, id, "https://app.example/cb");
            return (await new Gadget(app).AskAsync()).Member("user_code")!;
        },
        [("user_code", Wrong.OtherPurpose)] = async () =>
            (await Gadget.Tv(town.Server).AskAsync()).Member("device_code")!,
        [("user_code", Wrong.Expired)] = () => LaterAsync(town, TimeSpan.FromMinutes(11), UserCodeAsync(town)),
        [("user_code", Wrong.Replayed)] = async () =>
        {
            var code = await UserCodeAsync(town);
            await town.Ada.AnswerAsync(await Gadget.BringAsync(town.Ada, code), "deny");
            return code;
        },
    };

    private static async Task<Attempt> ShowAskAsync(InputTown town)
    {
        var name = NameOf(await WaitingAsync(town));
        return new([("{name}", name)], async fields => InputTown.Word(await town.Ada.OpenAsync(
            "/i/" + string.Join('/', fields.Select(field => InputTown.Escape(field.Value!))))))
        {
            Others = new()
            {
                [("{name}", Wrong.OtherClient)] = async () =>
                {
                    using var bob = new Person(town.Server, Person.Bob);
                    return NameOf(await Gadget.BringAsync(bob, await UserCodeAsync(town)));
                },
                [("{name}", Wrong.OtherPurpose)] = async () =>
                    (await Gadget.Tv(town.Server).AskAsync()).Member("device_code")!,
                [("{name}", Wrong.Expired)] = async () => NameOf(
                    await LaterAsync(town, TimeSpan.FromMinutes(11), WaitingAsync(town))),
                [("{name}", Wrong.Replayed)] = async () =>
                {
                    var question = await WaitingAsync(town);
                    await town.Ada.AnswerAsync(question, "deny");
                    return NameOf(question);
                },
            },
        };
    }

    private static async Task<Attempt> AnswerAskAsync(InputTown town)
    {
        var question = await WaitingAsync(town);
        var attempt = Answered(town, question, new()
        {
            [("form", Wrong.OtherClient)] = async () => (await BroughtAsync(town)).Fields()["form"][0],
            [(Transaction, Wrong.OtherClient)] = async () => NameOf(await BroughtAsync(town)),
            [("{name}", Wrong.OtherClient)] = async () => NameOf(await BroughtAsync(town)),
            [("{name}", Wrong.OtherPurpose)] = async () =>
                (await Gadget.Tv(town.Server).AskAsync()).Member("device_code")!,
        });
        return attempt with
        {
            Fields = [("{name}", NameOf(question)), .. attempt.Fields],
            SendAsync = form => InputTown.SendPageAsync(
                town.Ada, Wire.Place("/i/{name}", form), [.. form.Where(field => field.Name is not "{name}")]),
        };
    }

    private static Task<Question> WaitingAsync(InputTown town)
    {
        town.Server.Clock.Advance(TimeSpan.FromMinutes(15));
        return BroughtAsync(town);
    }

    private static async Task<Question> BroughtAsync(InputTown town) =>
        await Gadget.BringAsync(town.Ada, await UserCodeAsync(town));

    private static string NameOf(Question question) => question.Address.Split('/')[^1];

    private static async Task<Attempt> LogoutByFormAsync(InputTown town)
    {
        var bob = new Person(town.Server, Person.Bob);
        return await LogoutAsync(town, bob, fields => town.OpenByFormAsync(bob, "/logout", fields));
    }

    // The form that asks is good for exactly the request it was shown for.
    private static async Task<Attempt> ConfirmLogoutAsync(InputTown town)
    {
        var bob = new Person(town.Server, Person.Bob);
        await bob.SignInAsync();
        (string, string?)[] asked =
        [
            ("client_id", "site"), ("post_logout_redirect_uri", "https://site.example/bye"), ("state", "s"),
        ];
        var stop = await bob.OpenAsync("/logout?" + App.Encode(asked));
        var form = stop.Page!.QuerySelector("main form input[name=form], form input[name=form]")!.GetAttribute("value");
        return new([("form", form), .. asked], SendAsync)
        {
            Others = new()
            {
                [("form", Wrong.OtherClient)] = Be(await FormOfDeviceAsync(town.Ada)),
                [("form", Wrong.OtherPurpose)] = Be(await FormOfDeviceAsync(bob)),
                [("form", Wrong.Expired)] = () => LaterAsync(town, TimeSpan.FromHours(3), Task.FromResult(form!)),
                [("form", Wrong.OtherTenant)] = () => FormAsync(town.AdaAtAcme, "/signout", town.Acme.Tenant.Path),
                [("form", Wrong.Replayed)] = async () =>
                {
                    await SendAsync([("form", form), .. asked]);
                    return form!;
                },
                [("client_id", Wrong.OtherClient)] = Be("pair"),
                [("client_id", Wrong.OtherTenant)] = Be(town.Acme.App.Id),
                [("post_logout_redirect_uri", Wrong.OtherClient)] = Be("https://pair.example/cb"),
                [("post_logout_redirect_uri", Wrong.OtherPurpose)] = Be("https://site.example/cb"),
            },
        };

        Task<string> SendAsync((string Name, string? Value)[] fields) => InputTown.SendPageAsync(
            bob,
            "/logout/confirm?" + InputTown.Encode([.. fields.Where(field => field.Name is not "form")]),
            [.. fields.Where(field => field.Name is "form")]);
    }
}
