using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth.Input;

internal static partial class Tables
{
    private static readonly DpopKey Key = new();

    // Everything at once that a request can say.
    private static async Task<(string Name, string? Value)[]> WholeAsync(InputTown town, App app)
    {
        var identity = await app.LetInAsync(town.Ada, RelyingTown.Identity("openid"));
        return App.With(
            [("scope", "openid email mcp:read offline_access")],
            [
                .. app.Usual,
                ("response_mode", "query"),
                ("dpop_jkt", Key.Thumbprint),
                ("nonce", "n-1"),
                ("prompt", "consent"),
                ("max_age", "100000"),
                ("acr_values", Acr.Password),
                ("claims", """{"id_token":{"email":null}}"""),
                ("login_hint", Person.Ada),
                ("id_token_hint", identity.Member("id_token")),
                ("authorization_details", Spend),
            ]);
    }

    private static Dictionary<(string, Wrong), Func<Task<string>>> OfWhole(InputTown town) => new()
    {
        [("client_id", Wrong.OtherClient)] = Be("pair"),
        [("client_id", Wrong.OtherTenant)] = Be(town.Acme.App.Id),
        [("redirect_uri", Wrong.OtherClient)] = Be("https://pair.example/cb"),
        [("redirect_uri", Wrong.OtherTenant)] = Be("https://app.example/cb"),
        [("redirect_uri", Wrong.OtherPurpose)] = Be("https://site.example/bye"),
        [("response_type", Wrong.Type)] = Be("token"),
        [("response_mode", Wrong.Type)] = Be("fragment"),
        [("code_challenge_method", Wrong.Type)] = Be("plain"),
        [("scope", Wrong.OtherPurpose)] = Be("admin"),
        [("resource", Wrong.OtherTenant)] = Be(town.Acme.App.Resource),
        [("resource", Wrong.OtherPurpose)] = Be($"{town.Server.Issuer}/userinfo"),
        [("dpop_jkt", Wrong.OtherPurpose)] = Be("S256"),
        [("prompt", Wrong.Type)] = Be("none consent"),
        [("max_age", Wrong.Type)] = Be("-1"),
        [("login_hint", Wrong.OtherClient)] = Be(Person.Bob),
        [("id_token_hint", Wrong.OtherClient)] = async () => (await town.AppOf("pair")
            .LetInAsync(town.Ada, RelyingTown.Identity("openid"))).Member("id_token")!,
        [("id_token_hint", Wrong.OtherTenant)] = async () =>
            (await town.TokensOfAcmeAsync(RelyingTown.Identity("openid"))).Member("id_token")!,
        [("id_token_hint", Wrong.OtherPurpose)] = async () =>
            (await town.AppOf("site").LetInAsync(town.Ada)).AccessToken,
        [("id_token_hint", Wrong.Expired)] = async () => await LaterAsync(
            town, TimeSpan.FromMinutes(30), HintAsync(town)),
        [("authorization_details", Wrong.OtherPurpose)] = Be("""[{"type":"openid_credential"}]"""),
    };

    private static async Task<string> HintAsync(InputTown town) =>
        (await town.AppOf("site").LetInAsync(town.Ada, RelyingTown.Identity("openid"))).Member("id_token")!;

    private static async Task<Attempt> AuthorizeAsync(InputTown town) => new(
        await WholeAsync(town, town.AppOf("site")), fields => InputTown.OpenAsync(town.Ada, "/authorize", fields))
    {
        Others = OfWhole(town),
    };

    private static async Task<Attempt> AuthorizeByFormAsync(InputTown town) => new(
        await WholeAsync(town, town.AppOf("site")), fields => town.OpenByFormAsync(town.Ada, "/authorize", fields))
    {
        Others = OfWhole(town),
    };

    private static async Task<Attempt> PushAsync(InputTown town)
    {
        var others = OfClient(town, OfWhole(town));
        var app = town.AppOf("site");
        return new(
            [.. await WholeAsync(town, app), ("client_secret", WalkTown.Secret)],
            fields => town.PostAsync("/par", fields))
        {
            // RFC 9126 §2.1: what is pushed refers to nothing that was.
            Left = [("request_uri", await ReferenceAsync(app)), ("request", "a.b.c")],
            Others = new(others)
            {
                [("request_uri", Wrong.OtherPurpose)] = () => ReferenceAsync(app),
                [(Proofs, Wrong.OtherClient)] = () =>
                {
                    using var other = new DpopKey();
                    return Task.FromResult(other.Proof(AskOf(town, HttpMethod.Post, "/par")));
                },
            },
        };
    }

    private static Task<Attempt> SignedAsync(InputTown town) => Task.FromResult(new Attempt(
        [("client_id", "keyed"), ("request", Signed(town))],
        fields => InputTown.OpenAsync(town.Ada, "/authorize", fields))
    {
        Others = new()
        {
            [("client_id", Wrong.OtherClient)] = Be("site"),
            [("client_id", Wrong.OtherTenant)] = Be(town.Acme.App.Id),
            [("request", Wrong.OtherClient)] = Be(Signed(town, claims => claims["iss"] = "site")),
            [("request", Wrong.OtherTenant)] = Be(Signed(town, claims => claims["aud"] = town.Acme.Tenant.Issuer)),
            [("request", Wrong.OtherPurpose)] = Be(Assertion(town)),
            [("request", Wrong.Expired)] = Be(Signed(town, claims => claims["exp"] = town.Now - 1)),
        },
    });

    private static async Task<Attempt> PushedAsync(InputTown town)
    {
        var app = App.Web(town.Server);
        return new(
            [("client_id", "web"), ("request_uri", await ReferenceAsync(app))],
            fields => InputTown.OpenAsync(town.Ada, "/authorize", fields))
        {
            Others = new()
            {
                [("client_id", Wrong.OtherClient)] = Be("peer"),
                [("client_id", Wrong.OtherTenant)] = Be(town.Acme.App.Id),
                [("request_uri", Wrong.OtherClient)] = () => ReferenceAsync(App.Peer(town.Server)),
                [("request_uri", Wrong.OtherTenant)] = () => ReferenceAsync(town.Acme.App),
                [("request_uri", Wrong.OtherPurpose)] = async () =>
                    (await town.Ada.AllowAsync(App.Web(town.Server).Authorize())).Code,
                [("request_uri", Wrong.Expired)] = async () =>
                    await LaterAsync(town, TimeSpan.FromMinutes(2), ReferenceAsync(app)),
                [("request_uri", Wrong.Replayed)] = async () =>
                {
                    var pushed = await app.PushAsync();
                    await town.Ada.DenyAsync(app.Pushed(pushed));
                    return pushed.Member("request_uri")!;
                },
            },
        };
    }

    private static async Task<string> ReferenceAsync(App app) => (await app.PushAsync()).Member("request_uri")!;

    private static string Signed(InputTown town, Action<JsonObject>? change = null)
    {
        var app = new App(town.Server, "keyed", "https://keyed.example/cb");
        var claims = new JsonObject
        {
            ["iss"] = "keyed",
            ["aud"] = town.Server.Issuer,
            ["nbf"] = town.Now - 60,
            ["exp"] = town.Now + 60,
        };
        Array.ForEach(app.Usual, parameter => claims[parameter.Name] = parameter.Value);
        change?.Invoke(claims);
        return WalkTown.Keys.Sign(claims);
    }

    private static string Assertion(
        InputTown town, string? audience = null, int life = 60, Signer? key = null, string of = "keyed") =>
        (key ?? WalkTown.Keys).Sign(
            new()
            {
                ["iss"] = of,
                ["sub"] = of,
                ["aud"] = audience ?? town.Server.Issuer,
                ["exp"] = town.Now + life,
                ["jti"] = Guid.NewGuid().ToString("N"),
            },
            "client-authentication+jwt");
}
