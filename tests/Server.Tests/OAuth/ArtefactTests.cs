using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>A value made for one purpose is nothing in every other place (RFC 8725 §3.11, RFC 9700 §4).</summary>
public sealed class ArtefactTests
{
    [Fact, Rfc(8725, "3.11")]
    public async Task Every_artefact_is_refused_in_every_place_that_is_not_its_own()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var (app, watch) = (App.Web(server), App.Watch(server));
        var question = await ada.AskedAsync(app.Authorize());
        var fields = question.Fields();
        var code = (await ada.AllowAsync(app.Authorize())).Code;
        var tokens = await app.LetInAsync(ada);
        var artefacts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["code"] = code,
            ["refresh_token"] = tokens.RefreshToken,
            ["access_token"] = tokens.AccessToken,
            ["transaction"] = fields["transaction"][0],
            ["form"] = fields["form"][0],
            ["session"] = ada.Cookie("postern_session") ?? throw new InvalidOperationException("No session cookie."),
            ["browser"] = ada.Cookie("postern_browser")!,
        };

        foreach (var (kind, value) in artefacts)
        {
            // As they are, and behind the marks of the others.
            foreach (var text in (string[])[value, "pac_" + value, "prt_" + value, value[Math.Min(4, value.Length)..]])
            {
                await RefusedAsync("code", kind, text, () => app.RedeemAsync(text), "invalid_grant");
                await RefusedAsync("refresh_token", kind, text, () => app.RefreshAsync(text), "invalid_grant");
                await RefusedAsync(
                    "client_secret",
                    kind,
                    text,
                    () => app.RedeemAsync(code, ("client_secret", text)),
                    "invalid_client");
                await RefusedAsync(
                    "code_verifier", kind, text, () => app.RedeemAsync(code, ("code_verifier", text)), "invalid_grant");
                await RefusedAsync("client_assertion", kind, text, () => app.RedeemAsync(
                    code,
                    ("client_secret", null),
                    ("client_assertion", text),
                    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")), "invalid_client");
                if (kind is not "access_token" || text != value)
                {
                    Assert.False(await watch.IsAliveAsync(text), $"{kind} as a token");
                }

                await NotOpenAsync(server, ada, kind, text);
                if (kind is not "form" || text != value)
                {
                    using var answer = await ada.PostAsync(question, "allow", form => form["form"] = [text]);
                    Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
                }
            }
        }

        // None of it has done any harm.
        Assert.Equal(HttpStatusCode.OK, (await app.RedeemAsync(code)).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.RefreshAsync(tokens.RefreshToken)).Status);

        async Task RefusedAsync(string place, string kind, string text, Func<Task<Reply>> send, string error)
        {
            if (place == kind && text == artefacts[kind])
            {
                return;
            }

            var reply = await send();
            Assert.True(
                reply.Status is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized,
                $"{kind} as {place}: {reply.Text}");
            Assert.True(reply.Error == error || reply.Error is "invalid_request", $"{kind} as {place}: {reply.Text}");
        }
    }

    private static async Task NotOpenAsync(TestServer server, Person ada, string kind, string text)
    {
        if (kind is "transaction")
        {
            return;
        }

        foreach (var path in (string[])["/authorize", "/consent"])
        {
            var stop = await ada.OpenAsync($"{path}?transaction={Uri.EscapeDataString(text)}");
            Assert.True(stop is { Status: HttpStatusCode.BadRequest, Left: null }, $"{kind} as a transaction");
        }

        using var stranger = new Person(server);
        stranger.Cookies.Add(new Cookie("postern_session", kind is "session" ? text + "A" : text, "/", "127.0.0.1"));
        using var answer = await stranger.GetAsync("/me");
        Assert.NotEqual(HttpStatusCode.OK, answer.StatusCode);
    }
}
