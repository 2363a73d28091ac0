using Postern.OAuth.Token;

namespace Postern.Tests.OAuth.Input;

internal static partial class Tables
{
    private static async Task<Attempt> PollDeviceAsync(InputTown town)
    {
        // As many codes as one network may bring are not what is tried here.
        town.Server.Clock.Advance(TimeSpan.FromMinutes(15));
        var tv = Gadget.Tv(town.Server);
        return new(
            [
                ("grant_type", Gadget.GrantType),
                ("device_code", await tv.AnsweredAsync(town.Ada)),
                ("scope", "mcp:read"),
                ("resource", tv.App.Resource),
                ("client_id", "tv"),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Others = OfClient(town, new()
            {
                [("device_code", Wrong.OtherClient)] = async () =>
                    (await Gadget.Radio(town.Server).AskAsync(("scope", "mcp:read"))).Member("device_code")!,
                [("device_code", Wrong.OtherTenant)] = async () =>
                {
                    var id = await town.Acme.RegisterAsync(Gadget.GrantType);
                    var app = new App(town.Acme.Http, town.Acme.Tenant.Issuer, id, "https://app.example/cb");
                    return (await new Gadget(app).AskAsync()).Member("device_code")!;
                },
                [("device_code", Wrong.OtherPurpose)] = async () => (await tv.AskAsync()).Member("user_code")!,
                [("device_code", Wrong.Expired)] = async () =>
                    await LaterAsync(town, TimeSpan.FromMinutes(11), tv.AnsweredAsync(town.Ada)),
                [("device_code", Wrong.Replayed)] = async () =>
                {
                    var code = await tv.AnsweredAsync(town.Ada);
                    await tv.PollAsync(code);
                    return code;
                },
            }),
        };
    }

    private static async Task<Attempt> PollBackchannelAsync(InputTown town)
    {
        var butler = Butler.Of(town.Server);
        return new(
            [
                ("grant_type", Butler.GrantType),
                ("auth_req_id", await AllowedAsync(town, butler)),
                ("scope", "mcp:read"),
                ("resource", butler.App.Resource),
                ("client_id", "butler"),
                ("client_secret", Butler.Secret),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Others = OfClient(town, new()
            {
                [("auth_req_id", Wrong.OtherClient)] = () => AllowedAsync(town, Butler.Bell(town.Server)),
                [("auth_req_id", Wrong.OtherPurpose)] = async () =>
                    (await Gadget.Tv(town.Server).AskAsync()).Member("device_code")!,
                [("auth_req_id", Wrong.Expired)] = () =>
                    LaterAsync(town, TimeSpan.FromMinutes(11), AllowedAsync(town, butler)),
                [("auth_req_id", Wrong.Replayed)] = async () =>
                {
                    var code = await AllowedAsync(town, butler);
                    await butler.PollAsync(code);
                    return code;
                },
            }),
        };
    }

    private static async Task<string> AllowedAsync(InputTown town, Butler butler)
    {
        var asked = await butler.AskAsync(("binding_message", Guid.NewGuid().ToString("N")));
        await town.AllowAllAsync();
        return asked.Member("auth_req_id")!;
    }

    private static async Task<Attempt> PollDeferredAsync(InputTown town)
    {
        var night = new App(town.Server, "night", "", Butler.NightSecret);
        return new(
            [
                ("grant_type", Butler.Deferred),
                ("deferral_code", await DeferredAsync(town, night)),
                ("scope", "mcp:read"),
                ("resource", night.Resource),
                ("client_id", "night"),
                ("client_secret", Butler.NightSecret),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Others = OfClient(town, new()
            {
                [("deferral_code", Wrong.Expired)] = () =>
                    LaterAsync(town, Deferrals.Lifetime + TimeSpan.FromMinutes(1), DeferredAsync(town, night)),
                [("deferral_code", Wrong.OtherPurpose)] = () => AllowedAsync(town, Butler.Of(town.Server)),
                [("deferral_code", Wrong.Replayed)] = async () =>
                {
                    var code = await DeferredAsync(town, night);
                    await night.AsItselfAsync(("grant_type", Butler.Deferred), ("deferral_code", code));
                    return code;
                },
            }),
        };
    }

    private static async Task<string> DeferredAsync(InputTown town, App night)
    {
        var put = await night.AsItselfAsync(("completion_mode", "deferred"));
        await town.AllowAllAsync();
        return put.Member("deferral_code")!;
    }

    private static Task<Attempt> DeviceAsync(InputTown town) => Task.FromResult(new Attempt(
        [
            ("client_id", "tv"),
            ("scope", "mcp:read offline_access"),
            ("resource", App.Web(town.Server).Resource),
            ("authorization_details", Spend),
        ],
        fields => town.PostAsync("/device_authorization", fields))
    {
        Left = [("dpop_jkt", Key.Thumbprint)],
        Others = OfClient(town, new()
        {
            [("dpop_jkt", Wrong.OtherPurpose)] = Be(Key.Thumbprint),
            [("authorization_details", Wrong.OtherPurpose)] = Be("""[{"type":"openid_credential"}]"""),
        }),
    });

    private static Task<Attempt> BackchannelAsync(InputTown town) => Task.FromResult(new Attempt(
        [
            ("client_id", "bell"),
            ("client_secret", Butler.BellSecret),
            ("scope", "openid mcp:read"),
            ("resource", App.Web(town.Server).Resource),
            ("login_hint", Person.Ada),
            ("binding_message", "Table 12"),
            ("requested_expiry", "300"),
            ("acr_values", Acr.Password),
            ("client_notification_token", Butler.Token),
            ("authorization_details", Spend),
        ],
        async fields =>
        {
            var outcome = await town.PostAsync("/bc-authorize", fields);
            await town.AllowAllAsync();
            return outcome;
        })
    {
        Left =
        [
            ("dpop_jkt", Key.Thumbprint), ("id_token_hint", "a.b.c"), ("login_hint_token", "a.b.c"),
            ("user_code", "1234"), ("request", "a.b.c"),
        ],
        Others = OfClient(town, new()
        {
            [("dpop_jkt", Wrong.OtherPurpose)] = Be(Key.Thumbprint),
            [("login_hint", Wrong.OtherTenant)] = Be("nobody@example.test"),
            [("requested_expiry", Wrong.Type)] = Be("-1"),
            [("authorization_details", Wrong.OtherPurpose)] = Be("""[{"type":"openid_credential"}]"""),
        }),
    });

    // Who is asked is said by an ID token that the client was given before.
    private static async Task<Attempt> BackchannelByTokenAsync(InputTown town)
    {
        var (butler, bell) = (Butler.Of(town.Server), Butler.Bell(town.Server));
        var told = await butler.PollAsync(await AllowedAsync(town, butler));
        return new(
            [
                ("client_id", "butler"),
                ("client_secret", Butler.Secret),
                ("scope", "openid mcp:read"),
                ("resource", butler.App.Resource),
                ("id_token_hint", told.Member("id_token")),
            ],
            async fields =>
            {
                var outcome = await town.PostAsync("/bc-authorize", fields);
                await town.AllowAllAsync();
                return outcome;
            })
        {
            Only = ["id_token_hint"],
            Others = new()
            {
                [("id_token_hint", Wrong.OtherClient)] = async () =>
                    (await bell.PollAsync(await AllowedAsync(town, bell))).Member("id_token")!,
                [("id_token_hint", Wrong.OtherTenant)] = async () =>
                    (await town.TokensOfAcmeAsync(RelyingTown.Identity("openid"))).Member("id_token")!,
                [("id_token_hint", Wrong.OtherPurpose)] = Be(told.AccessToken),
                [("id_token_hint", Wrong.Expired)] = () => LaterAsync(
                    town, TimeSpan.FromDays(1), Task.FromResult(told.Member("id_token")!)),
            },
        };
    }

    // A person has to agree first, and the client says how it will hear of that.
    private static Task<Attempt> DeferAsync(InputTown town) => Task.FromResult(new Attempt(
        [
            ("grant_type", "client_credentials"),
            ("completion_mode", "deferred"),
            ("client_notification_token", Butler.Token),
            ("scope", "mcp:read"),
            ("resource", App.Web(town.Server).Resource),
            ("client_id", "night"),
            ("client_secret", Butler.NightSecret),
        ],
        async fields =>
        {
            var reply = await town.SendAsync("/token", fields);
            await town.AllowAllAsync();
            return reply.Member("deferral_code") is null ? InputTown.Word(reply) : Attempt.Good;
        })
    {
        Others = OfClient(town, []),
    });
}
