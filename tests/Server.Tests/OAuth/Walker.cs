using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth;

/// <summary>Uses what the metadata advertises; each step fails where it does not work.</summary>
internal sealed partial class Walker(WalkTown town)
{
    public const string
        Exchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    private const string AccessToken = "urn:ietf:params:oauth:token-type:access_token";

    private TestServer Server => town.Server;

    private App Web => App.Web(Server);

    public Task<Reply> LetInAsync(params (string Name, string? Value)[] changes) => Web.LetInAsync(town.Ada, changes);

    public async Task RefreshAsync()
    {
        var reply = await Web.RefreshAsync((await LetInAsync(("scope", "mcp:read offline_access"))).RefreshToken);
        Ok(reply);
        Assert.InRange(
            reply.Json.GetProperty("refresh_token_timeout").GetInt64(),
            1,
            reply.Json.GetProperty("authorization_expires_in").GetInt64());
    }

    public async Task PushAsync()
    {
        var app = Web;
        Ok(await app.RedeemAsync((await town.Ada.AllowAsync(app.Pushed(await app.PushAsync()))).Code));
    }

    public async Task RegisterAsync() =>
        await (await Registered.Async(Server, "https://self.example/cb")).LetInAsync(town.Ada);

    public async Task DocumentAsync()
    {
        var url = town.Host.Client("/client.json", ",\"token_endpoint_auth_method\":\"none\"");
        await new App(Server, url, "https://doc.example/cb").LetInAsync(town.Ada);
    }

    public async Task RevokeAsync()
    {
        var tokens = await LetInAsync();
        Ok(await Web.RevokeAsync(tokens.AccessToken));
        Assert.False(await App.Watch(Server).IsAliveAsync(tokens.AccessToken));
    }

    public async Task IntrospectAsync() =>
        Assert.True(await App.Watch(Server).IsAliveAsync((await LetInAsync()).AccessToken));

    public async Task ScopeAsync(string scope) => Assert.Equal(
        scope, (await KeyedAsync("/token", "ES256", ("grant_type", "client_credentials"), ("scope", scope))).Scope);

    public async Task DetailAsync(string detail)
    {
        // Where the type is kept.
        var place = $"{Server.Issuer}/mcp/" + (detail.Contains("NOTES", StringComparison.Ordinal) ? "notes" : "echo");
        var details = $"[{detail.Replace("NOTES", place, StringComparison.Ordinal)}]";
        var app = Web;
        var answer = await town.Ada.AllowAsync(
            app.Authorize(("resource", place), ("scope", "mcp:read"), ("authorization_details", details)));
        var reply = await app.RedeemAsync(answer.Code, ("resource", null));

        var type = JsonElement.Parse(details)[0].GetProperty("type").GetString();
        Assert.Contains(
            reply.Json.GetProperty("authorization_details").EnumerateArray(),
            granted => granted.GetProperty("type").GetString() == type);
    }

    /// <summary>A request whose answer is this error.</summary>
    public async Task IsToldAsync(string error, params (string Name, string? Value)[] changes) =>
        Assert.Equal(error, new Answer((await town.Ada.OpenAsync(Web.Authorize(changes))).Left!)["error"]);

    public async Task IssuerIsSaidAsync()
    {
        Assert.Equal(Server.Issuer, (await town.Ada.AllowAsync(Web.Authorize()))["iss"]);
        Assert.Equal(Server.Issuer, (await town.Ada.DenyAsync(Web.Authorize()))["iss"]);
    }

    /// <summary>The answer comes in this way, and its code is good.</summary>
    public async Task AnsweredAsync(string mode, string? alg = null)
    {
        var app = Web;
        var question = await town.Ada.AskedAsync(app.Authorize(("response_mode", mode)));
        var stop = await town.Ada.AnswerAsync(question, "allow");
        var fields = stop.Page is { } page
            ? page.QuerySelectorAll("form.post-back input")
                .ToDictionary(input => input.GetAttribute("name")!, input => input.GetAttribute("value"))
            : new() { ["code"] = new Answer(stop.Left!)["code"], ["response"] = new Answer(stop.Left!)["response"] };
        var code = fields.GetValueOrDefault("code");
        if (mode.EndsWith("jwt", StringComparison.Ordinal))
        {
            var (header, claims) = await Jwt.ReadAsync(Server, fields["response"]!);
            Assert.Equal(alg ?? "ES256", header.GetProperty("alg").GetString());
            code = claims.GetProperty("code").GetString();
        }

        Assert.Equal(mode.StartsWith("form_post", StringComparison.Ordinal), stop.Page is not null);
        Ok(await app.RedeemAsync(code!));
    }

    public async Task SignedRequestAsync(string alg)
    {
        var app = new App(Server, "keyed", "https://keyed.example/cb");
        var claims = new JsonObject
        {
            ["iss"] = "keyed",
            ["aud"] = Server.Issuer,
            ["nbf"] = town.Now,
            ["exp"] = town.Now + 60,
        };
        Array.ForEach(app.Usual, parameter => claims[parameter.Name] = parameter.Value);
        var signed = WalkTown.Keys.Sign(claims, alg: alg);

        Assert.NotEmpty((await town.Ada.AllowAsync($"/authorize?client_id=keyed&request={signed}")).Code);
    }

    /// <summary>A client proves itself so, or by an assertion signed with this algorithm, and is heard.</summary>
    public async Task ProveAsync(string path, string how)
    {
        (string, string?)[] asked = path is "/token" ? [("grant_type", "client_credentials")] : [("token", "x")];
        Ok(how switch
        {
            "none" when path is "/token" => await App.Native(Server).LetInAsync(town.Ada),
            "none" => await Web.PostAsync(path, [.. asked, ("client_id", "native")]),
            "client_secret_basic" => await Web.PostAsync(path, asked, App.Basic("bench", App.BenchSecret)),
            "client_secret_post" => await Web.PostAsync(
                path, [.. asked, ("client_id", "bench"), ("client_secret", App.BenchSecret)]),
            _ => await KeyedAsync(path, how, asked),
        });
    }

    /// <summary>A token is bound to a key of this kind.</summary>
    public async Task BindAsync(string alg)
    {
        using var app = DpopApp.Bench(Server);
        using var rsa = RSA.Create(2048);
        var expected = app.Key.Thumbprint;
        var proof = alg is "ES256" ? app.Key.Proof(app.Ask()) : Proofs.ByRsa(rsa, alg, app.Ask(), out expected);
        var reply = await app.SendAsync([("grant_type", "client_credentials")], proof);

        Ok(reply);
        Assert.Equal("DPoP", reply.Member("token_type"));
        Assert.Equal(expected, reply.Claims.GetProperty("cnf").GetProperty("jkt").GetString());
    }

    // There is no server behind, which only they are told who were let in.
    public async Task CallAsync() =>
        Assert.NotEqual(HttpStatusCode.Unauthorized, await Web.CallAsync((await LetInAsync()).AccessToken));

    public async Task BoundCallAsync()
    {
        using var app = DpopApp.Web(Server);
        using var answer = await app.CallAsync((await app.LetInAsync(town.Ada)).AccessToken);
        Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    /// <summary>A resource says that this server gives tokens for it, which does.</summary>
    public async Task ResourceAsync(string name)
    {
        var resource = $"{Server.Issuer}/mcp/{name}";
        var document = JsonElement.Parse(await Server.Http.GetStringAsync(
            new Uri($"/.well-known/oauth-protected-resource/mcp/{name}", UriKind.Relative)));
        Assert.Equal(resource, document.GetProperty("resource").GetString());
        Assert.Equal(Server.Issuer, document.GetProperty("authorization_servers")[0].GetString());
        var tokens = await LetInAsync(("resource", resource), ("scope", "mcp:read"));
        Assert.Equal(resource, tokens.Claims.GetProperty("aud").GetString());
    }

    private Task<Reply> KeyedAsync(string path, string alg, params (string, string?)[] fields)
    {
        var claims = new JsonObject
        {
            ["iss"] = "keyed",
            ["sub"] = "keyed",
            ["aud"] = Server.Issuer,
            ["exp"] = town.Now + 60,
            ["jti"] = Guid.NewGuid().ToString("N"),
        };
        return Web.PostAsync(path,
        [
            .. fields,
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", WalkTown.Keys.Sign(claims, "client-authentication+jwt", alg)),
        ]);
    }

    private static void Ok(Reply reply) => Assert.True(reply.Status is HttpStatusCode.OK, reply.Text);
}
