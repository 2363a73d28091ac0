using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>A value made for one purpose is nothing in every other place (RFC 8725 §3.11, RFC 9700 §4).</summary>
public sealed class ArtefactTests(Town town) : IClassFixture<Town>
{
    private static readonly string[]
        Kinds =
        [
            "code", "refresh_token", "access_token", "transaction", "form", "session", "browser", "request_uri",
            "proof", "device_code", "user_code", "auth_req_id",
            "deferral_code",
        ],
        Places =
        [
            "code", "refresh_token", "client_secret", "code_verifier", "client_assertion", "access_token",
            "subject_token", "assertion",
            "transaction", "form", "session", "request_uri", "device_code", "user_code",
            "auth_req_id", "deferral_code", "proof",
        ];

    private TestServer Server => town.Server;

    private App Night => new(Server, "night", "", Butler.NightSecret);

    public static MatrixTheoryData<string, string> KindsAndPlaces => new(Kinds, Places);

    [Theory, MemberData(nameof(KindsAndPlaces)), Rfc(8725, "3.11")]
    public async Task Every_artefact_is_refused_in_every_place_that_is_not_its_own(string kind, string place)
    {
        var app = App.Web(Server);
        var question = await town.Ada.AskedAsync(app.Authorize());
        var code = (await town.Ada.AllowAsync(app.Authorize())).Code;
        var tokens = await app.LetInAsync(town.Ada);
        var value = kind switch
        {
            "code" => code,
            "proof" => Proof(),
            "refresh_token" => tokens.RefreshToken,
            "access_token" => tokens.AccessToken,
            "request_uri" => (await app.PushAsync()).Member("request_uri")!,
            "deferral_code" => (await Night.AsItselfAsync(("completion_mode", "deferred"))).Member(kind)!,
            "auth_req_id" => (await Butler.Of(Server).AskAsync()).Member(kind)!,
            "device_code" or "user_code" => (await Gadget.Tv(Server).AskAsync()).Member(kind)!,
            "session" or "browser" => town.Ada.Cookie($"postern_{kind}")!,
            _ => question.Fields()[kind][0],
        };

        // Behind the marks of the others too, without its own, and as it is where it does not belong.
        const string urn = "urn:ietf:params:oauth:request_uri:";
        var bare = kind is "request_uri" ? value[urn.Length..] : value[4..];
        string[] texts = ["pac_" + value, "prt_" + value, urn + value, bare, .. kind == place ? (string[])[] : [value]];
        foreach (var text in texts)
        {
            Assert.True(await IsRefusedAsync(place, text, code, question), $"{kind} as {place}: {text}");
        }

        // None of it has done any harm.
        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(code)).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(tokens.RefreshToken)).Status);
    }

    private async Task<bool> IsRefusedAsync(string place, string text, string code, Question question)
    {
        var app = App.Web(Server);
        return place switch
        {
            "code" => IsRefused(await app.RedeemAsync(text), "invalid_grant"),
            "refresh_token" => IsRefused(await app.RefreshAsync(text), "invalid_grant"),
            "client_secret" => IsRefused(await app.RedeemAsync(code, ("client_secret", text)), "invalid_client"),
            "code_verifier" => IsRefused(await app.RedeemAsync(code, ("code_verifier", text)), "invalid_grant"),
            "client_assertion" => IsRefused(await AssertAsync(app, code, text), "invalid_client"),
            "subject_token" => IsRefused(await ExchangeAsync(text), "invalid_request"),
            "assertion" => IsRefused(await AssertAsync(text), "invalid_grant"),
            "access_token" => !await App.Watch(Server).IsAliveAsync(text),
            "transaction" => await IsNoTransactionAsync(text),
            "request_uri" => await IsNoReferenceAsync(app, text),
            "proof" => IsRefused(await ProveAsync(app, text), "invalid_dpop_proof"),
            "form" => await IsNoFormAsync(question, text),
            "deferral_code" => IsRefused(
                await Night.AsItselfAsync(("grant_type", Butler.Deferred), ("deferral_code", text)), "invalid_grant"),
            "auth_req_id" => IsRefused(await Butler.Of(Server).PollAsync(text), "invalid_grant"),
            "device_code" => IsRefused(await Gadget.Tv(Server).PollAsync(text), "invalid_grant"),
            "user_code" => await IsNoUserCodeAsync(text),
            _ => await IsNoSessionAsync(text),
        };
    }

    // Made for a call, and so as good as any proof that was found somewhere.
    private string Proof()
    {
        using var key = new DpopKey();
        return key.Proof(new("POST", $"{Server.Issuer}/mcp/echo", Server.Clock.GetUtcNow().ToUnixTimeSeconds()));
    }

    private async Task<Reply> ProveAsync(App app, string text)
    {
        using var bound = DpopApp.Web(Server);
        return await bound.SendAsync([("grant_type", "authorization_code"), ("code", app.Id)], text);
    }

    private static bool IsRefused(Reply reply, string error) =>
        reply.Status is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized
        && (reply.Error == error || reply.Error is "invalid_request");

    private Task<Reply> ExchangeAsync(string text) => Swap(
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", text),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"));

    private Task<Reply> AssertAsync(string text) => Swap(
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", text));

    private Task<Reply> Swap(params (string Name, string? Value)[] fields) => App.Web(Server).PostAsync(
        "/token", [.. fields, ("client_id", "swap"), ("client_secret", App.SwapSecret)]);

    private static Task<Reply> AssertAsync(App app, string code, string text) => app.RedeemAsync(
        code,
        ("client_secret", null),
        ("client_assertion", text),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));

    private async Task<bool> IsNoTransactionAsync(string text)
    {
        foreach (var path in (string[])["/authorize", "/consent"])
        {
            var stop = await town.Ada.OpenAsync($"{path}?transaction={Uri.EscapeDataString(text)}");
            if (stop is not { Status: HttpStatusCode.BadRequest, Left: null })
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> IsNoReferenceAsync(App app, string text)
    {
        var stop = await town.Ada.OpenAsync($"/authorize?client_id={app.Id}&request_uri={Uri.EscapeDataString(text)}");
        return stop.Left is { } back
            ? new Answer(back)["error"] is "request_uri_not_supported"
            : stop.Status is HttpStatusCode.BadRequest;
    }

    private async Task<bool> IsNoFormAsync(Question question, string text)
    {
        using var answer = await town.Ada.PostAsync(question, "allow", form => form["form"] = [text]);
        return answer.StatusCode is HttpStatusCode.Forbidden;
    }

    private async Task<bool> IsNoUserCodeAsync(string text)
    {
        using var answer = await Gadget.TypeAsync(town.Ada, text);
        return answer.StatusCode is HttpStatusCode.UnprocessableEntity;
    }

    private async Task<bool> IsNoSessionAsync(string text)
    {
        using var stranger = new Person(Server);
        stranger.Cookies.Add(new Cookie("postern_session", text, "/", "127.0.0.1"));
        using var answer = await stranger.GetAsync("/me");
        return answer.StatusCode is HttpStatusCode.SeeOther;
    }
}
