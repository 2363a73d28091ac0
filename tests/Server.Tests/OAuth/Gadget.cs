using System.Net;
using System.Web;

namespace Postern.Tests.OAuth;

/// <summary>A program without a browser (RFC 8628): shows a code and comes back for the answer.</summary>
internal sealed class Gadget(App app)
{
    public const string GrantType = "urn:ietf:params:oauth:grant-type:device_code";

    public const string RadioSecret = "radio-secret-radio-secret-radio-secret";

    /// <summary>The usual town with programs of this kind: one that proves nothing, and one with a secret.</summary>
    public static readonly string Town = App.Town.Replace(
        "servers:",
        $$"""
          - { client_id: tv, client_name: Lounge, grant_types: ["{{GrantType}}", refresh_token] }
          - { client_id: radio, client_secret: {{RadioSecret}}, grant_types: ["{{GrantType}}"], scope: mcp:read }
        servers:
        """,
        StringComparison.Ordinal);

    public App App => app;

    public static Gadget Tv(TestServer server) => new(new(server, "tv", ""));

    public static Gadget Radio(TestServer server) => new(new(server, "radio", "", RadioSecret));

    public Task<Reply> AskAsync(params (string Name, string? Value)[] changes) => app.PostAsync(
        "/device_authorization",
        App.With(
            changes,
            ("client_id", app.Id),
            ("client_secret", app.Secret),
            ("scope", "mcp:read mcp:write offline_access"),
            ("resource", app.Resource)));

    public Task<Reply> PollAsync(string code, params (string Name, string? Value)[] changes) => app.PostAsync(
        "/token",
        App.With(
            changes,
            ("grant_type", GrantType),
            ("device_code", code),
            ("client_id", app.Id),
            ("client_secret", app.Secret)));

    /// <summary>Asks, and a person brings the code and answers; what the device then polls with.</summary>
    public async Task<string> AnsweredAsync(Person person, string decision = "allow")
    {
        var asked = await AskAsync();
        var question = await BringAsync(person, asked.Member("user_code")!);
        await person.AnswerAsync(question, decision);
        return asked.Member("device_code")!;
    }

    /// <summary>A person types the code and is asked.</summary>
    public static async Task<Question> BringAsync(Person person, string code)
    {
        using var answer = await TypeAsync(person, code);
        return await person.AskedAsync(
            answer.Headers.Location?.OriginalString ?? throw new InvalidOperationException($"{answer.StatusCode}"));
    }

    /// <summary>A person types the code.</summary>
    public static async Task<HttpResponseMessage> TypeAsync(Person person, string code)
    {
        var stop = await person.OpenAsync($"/device?user_code={HttpUtility.UrlEncode(code)}");
        Assert.Equal(HttpStatusCode.OK, stop.Status);
        var token = stop.Page!.Forms["device"]!.QuerySelector("input[name=form]")!.GetAttribute("value")!;
        return await person.SendAsync("/device", new() { ["form"] = [token], ["user_code"] = [code] });
    }

    public static void Refused(Reply reply, string error)
    {
        Assert.Equal(error, reply.Error);
        Assert.Equal(
            error is "invalid_client" ? HttpStatusCode.Unauthorized : HttpStatusCode.BadRequest, reply.Status);
        Assert.True(reply.Headers.CacheControl!.NoStore);
        Assert.Matches("^[ !#-\\[\\]-~]+$", reply.Member("error_description"));
    }

    /// <summary>The questions that the server keeps.</summary>
    public static Task<List<string>> WaitingAsync(TestServer server) =>
        server.Db.AllAsync($"select id from asks", row => row.GetString(0), default);
}
