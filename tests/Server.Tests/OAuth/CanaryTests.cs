using System.Net;
using Postern.Tests.Audit;

namespace Postern.Tests.OAuth;

/// <summary>Secrets, tokens, codes and addresses of people are in no log line, no entry and no error answer.</summary>
public sealed class CanaryTests
{
    [Fact, Rfc(9700, "4.2.4")]
    [Rfc(6749, "10.3")]
    public async Task Nothing_secret_is_written_down_or_shown()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        using var ada = new Person(server);
        var (app, peer, watch) = (App.Web(server), App.Peer(server), App.Watch(server));
        var canaries =
            new List<string> { Person.Ada, Person.AdasPassword, App.WebSecret, App.WatchSecret, "the state" };
        var shown = new List<string>();

        var question = await ada.AskedAsync(app.Authorize());
        canaries.AddRange(
            [app.Verifier, app.Challenge, question.Fields()["transaction"][0], question.Fields()["form"][0]]);
        canaries.AddRange([ada.Cookie("postern_session")!, ada.Cookie("postern_browser")!]);
        var code = new Answer((await ada.AnswerAsync(question, "allow")).Left!).Code;
        canaries.Add(code);
        shown.Add((await peer.RedeemAsync(code)).Text);
        shown.Add((await app.RedeemAsync(code, ("client_secret", "canary-wrong-secret"))).Text);
        shown.Add(
            (await app.RedeemAsync(code, ("code_verifier", "canary-verifier-canary-verifier-canary-verifier"))).Text);
        var first = await app.RedeemAsync(code);
        var second = await app.RefreshAsync(first.RefreshToken);
        var third = await app.RefreshAsync(second.RefreshToken);
        foreach (var reply in (Reply[])[first, second, third])
        {
            canaries.AddRange([reply.AccessToken, reply.RefreshToken, reply.AccessToken.Split('.')[2]]);
            canaries.Add(reply.Claims.GetProperty("jti").GetString()!);
        }

        await watch.IntrospectAsync(first.AccessToken);
        shown.Add((await app.RefreshAsync(first.RefreshToken)).Text);
        shown.Add((await app.RedeemAsync(code)).Text);
        await app.RevokeAsync(third.RefreshToken);
        var basic = App.Basic("web", "canary-basic-secret");
        shown.Add((await app.PostAsync("/token", [("grant_type", "client_credentials")], basic)).Text);
        string[] parameters =
        [
            "client_id", "redirect_uri", "scope", "state", "resource", "code_challenge", "prompt", "max_age",
            "response_type",
        ];
        foreach (var parameter in parameters)
        {
            using var answer = await server.Http.GetAsync(
                new Uri(app.Authorize((parameter, "canary-" + parameter)), UriKind.Relative));
            shown.Add(await answer.Content.ReadAsStringAsync());
        }

        using var wrong = new Person(server, Person.Bob, "canary-wrong-password");
        await Assert.ThrowsAsync<InvalidOperationException>(wrong.SignInAsync);
        using var lost = await ada.GetAsync("/authorize?transaction=canary-transaction");
        shown.Add(await lost.Content.ReadAsStringAsync());
        canaries.Add("canary-");

        Assert.Equal(HttpStatusCode.BadRequest, lost.StatusCode);
        Assert.All(canaries, canary =>
        {
            Assert.DoesNotContain(server.Log.All, line => line.Contains(canary, StringComparison.Ordinal));
            Assert.DoesNotContain(shown, text => text.Contains(canary, StringComparison.Ordinal));
        });
        foreach (var record in await Chain.VerifiedAsync(server))
        {
            Assert.All(
                canaries, canary => Assert.DoesNotContain(canary, record.GetRawText(), StringComparison.Ordinal));
        }
    }
}
