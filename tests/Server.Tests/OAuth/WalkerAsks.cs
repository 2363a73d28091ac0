using System.Text.Json.Nodes;
using Postern.Tests.Platform.Pages;

namespace Postern.Tests.OAuth;

/// <summary>What is asked without a browser, passed on, or said of a person.</summary>
internal sealed partial class Walker
{
    public async Task DeviceAsync()
    {
        var tv = Gadget.Tv(Server);
        Ok(await tv.PollAsync(await tv.AnsweredAsync(town.Ada)));
    }

    public async Task BackchannelAsync(params (string Name, string? Value)[] changes)
    {
        var butler = Butler.Of(Server);
        var asked = await butler.AskAsync(changes);
        await town.AllowAllAsync();
        Ok(await butler.PollAsync(asked.Member("auth_req_id")!));
    }

    public async Task PingAsync()
    {
        var bell = Butler.Bell(Server);
        var asked = (await bell.AskAsync()).Member("auth_req_id")!;
        await town.AllowAllAsync();
        await Eventually.TrueAsync(
            () => town.Host.Heard.Any(text => text.Contains(asked, StringComparison.Ordinal)));
        Ok(await bell.PollAsync(asked));
    }

    public async Task SignedQuestionAsync(string alg)
    {
        var app = new App(Server, "seal" + alg, "", WalkTown.Secret);
        var claims = new JsonObject
        {
            ["iss"] = app.Id,
            ["aud"] = Server.Issuer,
            ["iat"] = town.Now,
            ["nbf"] = town.Now,
            ["exp"] = town.Now + 300,
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["scope"] = "openid mcp:read",
            ["resource"] = app.Resource,
            ["login_hint"] = Person.Ada,
        };
        var asked = await app.PostAsync("/bc-authorize",
        [
            ("client_id", app.Id), ("client_secret", app.Secret), ("request", WalkTown.Keys.Sign(claims, null, alg)),
        ]);
        await town.AllowAllAsync();
        Ok(await new Butler(app).PollAsync(asked.Member("auth_req_id")!));
    }

    public async Task DeferAsync()
    {
        var night = new App(Server, "night", "", Butler.NightSecret);
        var asked = await night.AsItselfAsync(("completion_mode", "deferred"));
        await town.AllowAllAsync();
        Ok(await night.AsItselfAsync(
            ("grant_type", Butler.Deferred), ("deferral_code", asked.Member("deferral_code"))));
    }

    public async Task ExchangeAsync() => Ok(await SecretAsync(
        "back",
        ("grant_type", Exchange),
        ("subject_token", (await LetInAsync()).AccessToken),
        ("subject_token_type", AccessToken)));

    /// <summary>An identity provider's word lets a person in.</summary>
    public async Task AssertAsync()
    {
        var claims = new JsonObject
        {
            ["iss"] = "https://idp.example",
            ["sub"] = "u-1",
            ["email"] = Person.Ada,
            ["email_verified"] = true,
            ["aud"] = Server.Issuer,
            ["client_id"] = "connector",
            ["resource"] = Web.Resource,
            ["scope"] = "mcp:read",
            ["iat"] = town.Now,
            ["exp"] = town.Now + 300,
            ["jti"] = Guid.NewGuid().ToString("N"),
        };
        Ok(await SecretAsync(
            "connector",
            ("grant_type", JwtBearer), ("assertion", WalkTown.Idp.Sign(claims, "oauth-id-jag+jwt"))));
    }

    /// <summary>This server says elsewhere who a person is.</summary>
    public async Task SayWhoAsync()
    {
        const string idJag = "urn:ietf:params:oauth:token-type:id-jag";
        var reply = await SecretAsync(
            "desk",
            ("grant_type", Exchange),
            ("requested_token_type", idJag),
            ("subject_token", (await town.AppOf("desk").LetInAsync(town.Ada)).RefreshToken),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
            ("audience", "https://elsewhere.example"));
        Assert.Equal(idJag, reply.Member("issued_token_type"));
    }

    public async Task<Reply> SignInAsync(string client, string scope, params (string Name, string? Value)[] more)
    {
        var reply = await town.AppOf(client).LetInAsync(town.Ada, RelyingTown.Identity(scope, more));
        Assert.Equal(scope, reply.Scope);
        return reply;
    }

    /// <summary>The ID token has this claim, asked for by name.</summary>
    public async Task TellsAsync(string claim, params (string Name, string? Value)[] more)
    {
        var asked = "{\"id_token\":{\"" + claim + "\":null}}";
        var reply = await SignInAsync("site", "openid", [("claims", asked), ("nonce", "n-1"), .. more]);
        var (_, claims) = await Jwt.ReadAsync(Server, reply.Member("id_token")!);
        Assert.True(claims.TryGetProperty(claim, out var told), claims.GetRawText());
        Assert.True(claim is not "acr" || told.GetString() is Acr.Password);
    }

    public async Task SignedIdTokenAsync(string client, string alg)
    {
        var (header, _) = await Jwt.ReadAsync(Server, (await SignInAsync(client, "openid")).Member("id_token")!);
        Assert.Equal(alg, header.GetProperty("alg").GetString());
    }

    public async Task UserInfoAsync(string client, string? alg)
    {
        var tokens = await SignInAsync(client, "openid email");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/userinfo", UriKind.Relative));
        request.Headers.Authorization = new("Bearer", tokens.AccessToken);
        using var answer = await Server.Http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        var told = alg is null
            ? System.Text.Json.JsonElement.Parse(text)
            : (await Jwt.ReadAsync(Server, text)).Claims;
        Assert.Equal(Person.Ada, told.GetProperty("email").GetString());
    }

    public async Task NamedAsync(string client, bool isEverywhereTheSame)
    {
        var (here, there) = (await SignInAsync(client, "openid"), await SignInAsync("ecs", "openid"));
        Assert.Equal(isEverywhereTheSame, Name(here) == Name(there));

        static string? Name(Reply reply) => Jwt.Claims(reply.Member("id_token")!).GetProperty("sub").GetString();
    }

    public async Task PromptAsync(string prompt)
    {
        await SignInAsync("site", "openid");
        await SignInAsync("site", "openid", ("prompt", prompt));
    }

    /// <summary>A person signs out by way of a client, which hears of it and of which session.</summary>
    public async Task LogoutAsync()
    {
        using var bob = new Person(Server, Person.Bob);
        var before = town.Host.Heard.Count;
        var hint = (await town.AppOf("site").LetInAsync(bob, RelyingTown.Identity("openid"))).Member("id_token")!;
        var stop = await bob.OpenAsync(
            $"/logout?id_token_hint={hint}&post_logout_redirect_uri=https%3A%2F%2Fsite.example%2Fbye");
        Assert.Equal("https://site.example/bye", stop.Left!.AbsoluteUri);
        var heard = Assert.Single(town.Host.Heard.Skip(before));
        var (_, claims) = await Jwt.ReadAsync(Server, heard[(heard.IndexOf("logout_token=") + 13)..]);
        Assert.Equal(
            Jwt.Claims(hint).GetProperty("sid").GetString(), claims.GetProperty("sid").GetString());
    }

    private Task<Reply> SecretAsync(string client, params (string Name, string? Value)[] fields) =>
        Web.PostAsync("/token", [.. fields, ("client_id", client), ("client_secret", WalkTown.Secret)]);

    /// <summary>A person signs in by a passkey, in a real browser; the token says so.</summary>
    public static async Task ByPasskeyAsync()
    {
        await using var way = await PasskeyStepUp.StartAsync();
        await using var chromium = new Chromium();
        await chromium.InitializeAsync();
        await using var context = await chromium.ContextAsync();
        var page = await context.NewPageAsync();
        await way.MakePasskeyAsync(context, page);

        var reply = await way.LetInAsync(page, ("acr_values", Acr.Passkey));

        Assert.Equal(Acr.Passkey, reply.Claims.GetProperty("acr").GetString());
    }
}
