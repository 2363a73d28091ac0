using System.Text;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

/// <summary>One of everything that is made for one purpose, by the server, its clients and others.</summary>
internal sealed class Artefacts
{
    private const string Exchange = Walker.Exchange;

    /// <summary>What there is, by the name of its place. Whoever makes something new adds a line.</summary>
    public static readonly Dictionary<string, Func<Artefacts, Task<string>>> Makers = new(StringComparer.Ordinal)
    {
        ["code"] = made => Task.FromResult(made.Code),
        ["refresh_token"] = made => Task.FromResult(made.Tokens.RefreshToken),
        ["access_token"] = made => Task.FromResult(made.Tokens.AccessToken),
        ["reference_token"] = async made => (await made.App.LetInAsync(
            made.Town.Ada, ("resource", $"{made.Server.Issuer}/mcp/files"))).AccessToken,
        ["id_token"] = async made => (await made.SignedInAsync()).Member("id_token")!,
        ["userinfo_token"] = async made => (await made.SignedInAsync()).AccessToken,
        ["transaction"] = made => Task.FromResult(made.Question.Fields()["transaction"][0]),
        ["form"] = made => Task.FromResult(made.Question.Fields()["form"][0]),
        ["session"] = made => Task.FromResult(made.Town.Ada.Cookie("postern_session")!),
        ["browser"] = made => Task.FromResult(made.Town.Ada.Cookie("postern_browser")!),
        ["known"] = made => Task.FromResult(made.Town.Ada.Cookie("postern_known")!),
        ["request_uri"] = async made => (await made.App.PushAsync()).Member("request_uri")!,
        ["request"] = made => Task.FromResult(WalkTown.Keys.Sign(made.Request(), "oauth-authz-req+jwt")),
        ["client_assertion"] = made => Task.FromResult(WalkTown.Keys.Sign(made.Assertion(), "JWT")),
        ["backchannel_request"] = made => Task.FromResult(WalkTown.Keys.Sign(made.Ask(), null)),
        ["assertion"] = made => Task.FromResult(WalkTown.Idp.Sign(made.Word(), "oauth-id-jag+jwt")),
        ["id_jag"] = async made => (await made.SaidElsewhereAsync()).AccessToken,
        ["transaction_token"] = async made => (await made.TransactedAsync()).AccessToken,
        ["response"] = made => made.SignedAnswerAsync(),
        ["logout_token"] = made => made.LogoutTokenAsync(),
        ["proof"] = made => Task.FromResult(made.Proof()),
        ["nonce"] = made => made.NonceAsync(),
        ["attestation"] = made => made.AttestedAsync(app => app.Attestation()),
        ["attestation_pop"] = made => made.AttestedAsync(app => app.Proof()),
        ["challenge"] = made => made.AttestedAsync(app => app.Challenge!),
        ["jwt_svid"] = made => Task.FromResult(made.Svid()),
        ["introspection"] = made => made.IntrospectedAsync(),
        ["userinfo"] = made => made.UserInfoAsync(),
        ["status_list"] = made => made.StatusListAsync(),
        ["device_code"] = async made => (await Gadget.Tv(made.Server).AskAsync()).Member("device_code")!,
        ["user_code"] = async made => (await Gadget.Tv(made.Server).AskAsync()).Member("user_code")!,
        ["auth_req_id"] = async made =>
        {
            // Few questions wait for one person at a time.
            await made.Town.AllowAllAsync();
            return (await Butler.Of(made.Server).AskAsync()).Member("auth_req_id")!;
        },
        ["deferral_code"] = async made =>
            (await made.Night.AsItselfAsync(("completion_mode", "deferred"))).Member("deferral_code")!,
        ["registration_token"] = async made => (await made.RegisteredAsync()).Member("registration_access_token")!,
        ["registration_secret"] = async made => (await made.RegisteredAsync()).Member("client_secret")!,
        ["admin_token"] = async made =>
            (await File.ReadAllTextAsync(Path.Combine(made.Server.Folder, "admin.token"))).Trim(),
    };

    private Artefacts(WalkTown town, App app) =>
        (Town, App, Copy) = (town, app, new(town.Server, "copy"));

    public WalkTown Town { get; }

    public TestServer Server => Town.Server;

    public App App { get; }

    public App Night => new(Server, "night", "", Butler.NightSecret);

    /// <summary>A copy of a client that others vouch for.</summary>
    public AttestedApp Copy { get; }

    public required Question Question { get; init; }

    public required string Code { get; init; }

    public required Reply Tokens { get; init; }

    public static async Task<Artefacts> MakeAsync(WalkTown town)
    {
        var app = App.Web(town.Server);
        return new(town, app)
        {
            Question = await town.Ada.AskedAsync(app.Authorize()),
            Code = (await town.Ada.AllowAsync(app.Authorize())).Code,
            Tokens = await app.LetInAsync(town.Ada),
        };
    }

    public JsonObject Request()
    {
        var app = new App(Server, "keyed", "https://keyed.example/cb");
        var claims = Claims("keyed");
        claims["nbf"] = Town.Now;
        Array.ForEach(app.Usual, parameter => claims[parameter.Name] = parameter.Value);
        return claims;
    }

    public JsonObject Assertion() => Claims("keyed", ("sub", "keyed"), ("jti", $"{Guid.NewGuid():N}"));

    public JsonObject Ask()
    {
        var claims = Claims(
            "sealES256",
            ("jti", $"{Guid.NewGuid():N}"), ("scope", "openid mcp:read"), ("resource", App.Resource),
            ("login_hint", Person.Ada));
        (claims["iat"], claims["nbf"]) = (Town.Now, Town.Now);
        return claims;
    }

    public JsonObject Word()
    {
        var claims = Claims(
            "https://idp.example",
            ("sub", "u-1"), ("email", Person.Ada), ("client_id", "connector"), ("resource", App.Resource),
            ("scope", "mcp:read"), ("jti", $"{Guid.NewGuid():N}"));
        (claims["iat"], claims["email_verified"]) = (Town.Now, true);
        return claims;
    }

    private JsonObject Claims(string issuer, params (string Name, string Value)[] more)
    {
        var claims = new JsonObject { ["iss"] = issuer, ["aud"] = Server.Issuer, ["exp"] = Town.Now + 60 };
        Array.ForEach(more, claim => claims[claim.Name] = claim.Value);
        return claims;
    }

    private Task<Reply> SignedInAsync() =>
        Town.AppOf("site").LetInAsync(Town.Ada, RelyingTown.Identity("openid email"));

    private async Task<Reply> SaidElsewhereAsync() => await ExchangeAsync(
        "desk",
        ("requested_token_type", "urn:ietf:params:oauth:token-type:id-jag"),
        ("subject_token", (await Town.AppOf("desk").LetInAsync(Town.Ada)).RefreshToken),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
        ("audience", "https://elsewhere.example"));

    private Task<Reply> TransactedAsync() => ExchangeAsync(
        "back",
        ("requested_token_type", "urn:ietf:params:oauth:token-type:txn_token"),
        ("subject_token", Tokens.AccessToken),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("audience", "inside.example"),
        ("scope", "mcp:read"));

    private Task<Reply> ExchangeAsync(string client, params (string Name, string? Value)[] fields) => App.PostAsync(
        "/token", [("grant_type", Exchange), .. fields, ("client_id", client), ("client_secret", WalkTown.Secret)]);

    private async Task<string> SignedAnswerAsync() =>
        (await Town.Ada.AllowAsync(App.Authorize(("response_mode", "jwt"))))["response"]!;

    private async Task<string> LogoutTokenAsync()
    {
        using var bob = new Person(Server, Person.Bob);
        var before = Town.Host.Heard.Count;
        var hint = (await Town.AppOf("site").LetInAsync(bob, RelyingTown.Identity("openid"))).Member("id_token");
        await bob.OpenAsync($"/logout?id_token_hint={hint}");
        var heard = Town.Host.Heard.Skip(before).Single();
        return heard[(heard.IndexOf("logout_token=") + "logout_token=".Length)..];
    }

    // Made for a call, and so as good as any proof that was found somewhere.
    private string Proof()
    {
        using var key = new DpopKey();
        return key.Proof(new("POST", App.Resource, Town.Now));
    }

    private async Task<string> NonceAsync()
    {
        using var app = DpopApp.Bench(Server);
        await app.AsItselfAsync();
        return app.Nonce!;
    }

    private async Task<string> AttestedAsync(Func<AttestedApp, string> what)
    {
        await Copy.MeetAsync();
        return what(Copy);
    }

    private string Svid()
    {
        var claims = Claims("unused", ("sub", StrictTown.Workload));
        (claims["iat"], claims["iss"]) = (Town.Now, null);
        claims.Remove("iss");
        return StrictTown.Domain.Sign(claims, "JWT");
    }

    private Task<string> IntrospectedAsync() => SignedAsync(
        "/introspect", "application/token-introspection+jwt", App.Encode(
        [
            ("token", Tokens.AccessToken), ("client_id", "back"), ("client_secret", WalkTown.Secret),
        ]));

    private async Task<string> UserInfoAsync()
    {
        var tokens = await Town.AppOf("pair").LetInAsync(Town.Ada, RelyingTown.Identity("openid"));
        return await SignedAsync("/userinfo", "application/jwt", null, tokens.AccessToken);
    }

    private async Task<string> StatusListAsync()
    {
        var at = Tokens.Claims.GetProperty("status").GetProperty("status_list").GetProperty("uri").GetString()!;
        return await SignedAsync(new Uri(at).AbsolutePath, "application/statuslist+jwt");
    }

    private async Task<string> SignedAsync(string path, string accept, string? form = null, string? token = null)
    {
        using var request = new HttpRequestMessage(
            form is null ? HttpMethod.Get : HttpMethod.Post, new Uri(path, UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Accept", accept);
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        }

        if (form is not null)
        {
            request.Content = new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded");
        }

        using var answer = await Server.Http.SendAsync(request);
        Assert.Equal(accept, answer.Content.Headers.ContentType?.MediaType);
        return await answer.Content.ReadAsStringAsync();
    }

    private Task<Reply> RegisteredAsync() => Registered.PostAsync(
        Server, """{"redirect_uris":["https://kept.example/cb"],"token_endpoint_auth_method":"client_secret_post"}""");
}
