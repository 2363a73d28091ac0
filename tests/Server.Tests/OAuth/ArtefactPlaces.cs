using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>Every place where a client, a browser or a stranger may put a value that somebody made.</summary>
internal sealed class ArtefactPlaces(WalkTown town, Artefacts made)
{
    private const string
        AccessToken = "urn:ietf:params:oauth:token-type:access_token",
        IdToken = "urn:ietf:params:oauth:token-type:id_token",
        RefreshToken = "urn:ietf:params:oauth:token-type:refresh_token",
        AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /// <summary>
    /// The places, and whether a text is refused there. The name says which kinds are at home, with blanks between.
    /// Whoever makes a new place adds a line.
    /// </summary>
    public static readonly Dictionary<string, Func<ArtefactPlaces, string, Task<bool>>> All =
        new(StringComparer.Ordinal)
        {
            ["code"] = (at, text) => at.RedeemAsync(text),
            ["refresh_token"] = (at, text) => at.TokenAsync("refresh_token", ("refresh_token", text)),
            ["client_secret"] = (at, text) => at.RedeemAsync(at.Code, ("client_secret", text)),
            ["code_verifier"] = (at, text) => at.RedeemAsync(at.Code, ("code_verifier", text)),
            ["client_assertion"] = (at, text) => at.AssertAsync(text),
            ["subject_token"] = (at, text) => at.ExchangeAsync("swap", App.SwapSecret, AccessToken, text),
            ["subject_token id_token"] = (at, text) => at.ExchangeAsync("desk", WalkTown.Secret, IdToken, text),
            ["subject_token refresh_token"] = (at, text) =>
                at.ExchangeAsync("desk", WalkTown.Secret, RefreshToken, text),
            ["actor_token"] = (at, text) => at.ActAsync(text),
            ["assertion"] = (at, text) => at.SecretAsync(
                "connector", WalkTown.Secret, ("grant_type", Walker.JwtBearer), ("assertion", text)),
            ["assertion of a workload"] = (at, text) => at.WorkloadAsync(text),
            ["device_code"] = async (at, text) => Refuses(await Gadget.Tv(at.Server).PollAsync(text)),
            ["auth_req_id"] = async (at, text) => Refuses(await Butler.Of(at.Server).PollAsync(text)),
            ["deferral_code"] = async (at, text) => Refuses(await at.Made.Night.AsItselfAsync(
                ("grant_type", Butler.Deferred), ("deferral_code", text))),
            ["attestation"] = (at, text) => at.AttestAsync((app, headers) => headers[0].Value = text),
            ["attestation_pop"] = (at, text) => at.AttestAsync((app, headers) => headers[1].Value = text),
            ["challenge nonce"] = (at, text) => at.AttestAsync((app, headers) =>
            {
                app.Challenge = text;
                headers[1].Value = app.Proof();
            }),
            ["jwt_svid"] = (at, text) => at.ShowSvidAsync(text),
            ["proof"] = (at, text) => at.ProveAsync(text),
            ["nonce challenge"] = (at, text) => at.SayNonceAsync(text),
            ["token access_token reference_token"] = async (at, text) => !await App.Watch(at.Server).IsAliveAsync(text),
            ["access_token at a server"] = async (at, text) =>
                await at.App.CallAsync(text) is HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest,
            ["userinfo_token"] = (at, text) => at.IsShutAsync("/userinfo", text),
            ["admin_token"] = (at, text) => at.IsShutAsync("/api/status", text),
            ["registration_token"] = (at, text) => at.IsShutAsync("/register/native", text),
            ["request_uri"] = (at, text) => at.IsNoRequestAsync("web", "request_uri", text),
            ["request"] = (at, text) => at.IsNoRequestAsync("keyed", "request", text),
            ["request that is pushed"] = (at, text) => at.IsNoPushAsync(text),
            ["backchannel_request"] = (at, text) => at.IsNoQuestionAsync(text),
            ["id_token hint"] = (at, text) => at.IsNoHintAsync(text),
            ["id_token hint to sign out"] = (at, text) => at.IsNoLogoutAsync(text),
            ["transaction"] = (at, text) => at.IsNoTransactionAsync(text),
            ["form"] = (at, text) => at.IsNoFormAsync(text),
            ["user_code"] = (at, text) => at.IsNoUserCodeAsync(text),
            ["session"] = (at, text) => at.IsNoSessionAsync(text),
        };

    private TestServer Server => town.Server;

    private Artefacts Made => made;

    private App App => made.App;

    private string Code => made.Code;

    private static bool Refuses(Reply reply) =>
        reply.Status is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized
        && reply.Error is "invalid_grant" or "invalid_client" or "invalid_request" or "invalid_request_object"
            or "invalid_dpop_proof" or "use_dpop_nonce" or "invalid_target" or "use_attestation_challenge"
            or "invalid_client_attestation";

    private async Task<bool> RedeemAsync(string code, params (string Name, string? Value)[] changes) =>
        Refuses(await App.RedeemAsync(code, changes));

    private async Task<bool> TokenAsync(string grantType, params (string Name, string? Value)[] fields) =>
        Refuses(await App.PostAsync("/token",
        [
            ("grant_type", grantType), .. fields, ("client_id", App.Id), ("client_secret", App.Secret),
        ]));

    private async Task<bool> SecretAsync(
        string client, string secret, params (string Name, string? Value)[] fields) =>
        Refuses(await App.PostAsync("/token", [.. fields, ("client_id", client), ("client_secret", secret)]));

    private Task<bool> ExchangeAsync(string client, string secret, string type, string text) => SecretAsync(
        client,
        secret,
        ("grant_type", Walker.Exchange),
        ("requested_token_type", type is AccessToken ? null : "urn:ietf:params:oauth:token-type:id-jag"),
        ("audience", type is AccessToken ? null : "https://elsewhere.example"),
        ("subject_token", text),
        ("subject_token_type", type));

    private Task<bool> ActAsync(string text) => SecretAsync(
        "back",
        WalkTown.Secret,
        ("grant_type", Walker.Exchange),
        ("subject_token", made.Tokens.AccessToken),
        ("subject_token_type", AccessToken),
        ("actor_token", text),
        ("actor_token_type", AccessToken));

    private async Task<bool> WorkloadAsync(string text) =>
        Refuses(await App.PostAsync("/token", [("grant_type", Walker.JwtBearer), ("assertion", text)]));

    // By itself, so that it names the client that it is of.
    private async Task<bool> AssertAsync(string text) => Refuses(await App.PostAsync("/token",
    [
        ("grant_type", "client_credentials"), ("client_assertion", text), ("client_assertion_type", AssertionType),
    ]));

    private async Task<bool> AttestAsync(Action<AttestedApp, (string Name, string Value)[]> put)
    {
        var app = made.Copy;
        await app.MeetAsync();
        (string Name, string Value)[] headers =
        [
            ("OAuth-Client-Attestation", app.Attestation()), ("OAuth-Client-Attestation-PoP", app.Proof()),
        ];
        put(app, headers);
        return Refuses(await app.PostAsync("/token", [("grant_type", "client_credentials")], headers));
    }

    private async Task<bool> ShowSvidAsync(string text) => Refuses(await App.PostAsync("/token",
    [
        ("grant_type", "client_credentials"), ("client_assertion", text),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"),
    ]));

    private async Task<bool> ProveAsync(string text)
    {
        using var app = DpopApp.Bench(Server);
        return Refuses(await app.SendAsync([("grant_type", "client_credentials")], text));
    }

    private async Task<bool> SayNonceAsync(string text)
    {
        using var app = DpopApp.Bench(Server);
        return Refuses(await app.SendAsync(
            [("grant_type", "client_credentials")], app.Key.Proof(app.Ask(), nonce: text)));
    }

    private async Task<bool> IsShutAsync(string path, string text)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {text}");
        using var answer = await Server.Http.SendAsync(request);
        return answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest;
    }

    private async Task<bool> IsNoRequestAsync(string client, string parameter, string text)
    {
        var stop = await town.Ada.OpenAsync($"/authorize?client_id={client}&{parameter}={Uri.EscapeDataString(text)}");
        return stop.Left is { } back
            ? new Answer(back)["error"] is "request_uri_not_supported" or "invalid_request_object"
            : stop.Status is HttpStatusCode.BadRequest;
    }

    private async Task<bool> IsNoPushAsync(string text)
    {
        var claims = made.Assertion();
        return Refuses(await App.PostAsync("/par",
        [
            ("client_assertion", WalkTown.Keys.Sign(claims, "client-authentication+jwt")),
            ("client_assertion_type", AssertionType),
            ("request", text),
        ]));
    }

    private async Task<bool> IsNoQuestionAsync(string text) => Refuses(await App.PostAsync("/bc-authorize",
    [
        ("client_id", "sealES256"), ("client_secret", WalkTown.Secret), ("request", text),
    ]));

    private async Task<bool> IsNoHintAsync(string text)
    {
        var stop = await town.Ada.OpenAsync(town.AppOf("site").Authorize(RelyingTown.Identity(
            "openid", ("prompt", "none"), ("id_token_hint", text))));
        return stop.Left is { } back
            ? new Answer(back)["error"] is "invalid_request"
            : stop.Status is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge;
    }

    private async Task<bool> IsNoLogoutAsync(string text)
    {
        var stop = await town.Ada.OpenAsync($"/logout?id_token_hint={Uri.EscapeDataString(text)}");
        return stop is { Status: HttpStatusCode.BadRequest, Left: null };
    }

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

    private async Task<bool> IsNoFormAsync(string text)
    {
        using var answer = await town.Ada.PostAsync(made.Question, "allow", form => form["form"] = [text]);
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
