using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;
using static Postern.Tests.Combinations;

namespace Postern.Tests.OAuth.Journeys;

/// <summary>A journey under way.</summary>
internal sealed partial class Travel(JourneyTown town, Journey journey, Dress dress, Person ada)
{
    private const string
        AccessToken = "urn:ietf:params:oauth:token-type:access_token",
        RefreshToken = "urn:ietf:params:oauth:token-type:refresh_token",
        Elsewhere = "https://else.example",
        Spend = """[{"type":"spend","currency":"EUR","max_total":10}]""";

    private App app = new(dress.Connect(), dress.Issuer, dress.Id, JourneyTown.Redirect, town.SecretOf(dress));
    private Dress dress = dress;

    private string Resource => $"{dress.Issuer}/mcp/{journey.Server}";

    private (string Name, string? Value) Details => ("authorization_details", journey.Has(Rich) ? Spend : null);

    private string Tools => $$"""[{"type":"mcp_tool","locations":["{{Resource}}"],"actions":["look"]}]""";

    private bool IsAlone => journey.Source is Own or Workload;

    public static async Task<Travel> BeginAsync(JourneyTown town, Journey journey)
    {
        var dress = journey.Has(Workload) ? town.Stranger(journey.Bound) : await town.ClientAsync(journey);
        var ada = journey.IsAtTenant ? town.Estates[journey.Features.First(Neighbours.Contains)].Ada : town.Ada;
        return new(town, journey, dress, ada);
    }

    public Task<Reply> FirstAsync() => journey.Source switch
    {
        Own => TokenAsync(
            ("grant_type", "client_credentials"), ("resource", Resource), ("authorization_details", ToolsIfRich)),
        Device => DeviceAsync(),
        Backchannel => BackchannelAsync(),
        Deferred => DeferredAsync(),
        Assertion => AssertAsync(JourneyTown.Idp, "oauth-id-jag+jwt"),
        Workload => AssertAsync(JourneyTown.Platform, "JWT"),
        _ => CodeAsync(),
    };

    private string? ToolsIfRich => journey.Has(Rich) ? Tools : null;

    public Task<Reply> RefreshAsync(Reply reply) =>
        TokenAsync(("grant_type", "refresh_token"), ("refresh_token", reply.RefreshToken));

    public async Task<Reply> ExchangeAsync(Reply reply)
    {
        if (IsAlone)
        {
            Change(town.Teller(journey.Bound));
        }

        return await TokenAsync(
            ("grant_type", Borough.Exchange), ("subject_token", reply.AccessToken),
            ("subject_token_type", AccessToken), ("resource", Resource));
    }

    /// <summary>An authorization server elsewhere is told who the person is, and of a tool alone if asked.</summary>
    public async Task TellsElsewhereAsync(Reply reply)
    {
        var details = $$"""[{"type":"mcp_tool","locations":["{{Elsewhere}}/mcp"],"actions":["look"]}]""";
        var told = await TokenAsync(
            ("grant_type", Borough.Exchange), ("subject_token", reply.RefreshToken),
            ("subject_token_type", RefreshToken), ("requested_token_type", Borough.IdJag),
            ("audience", Elsewhere), ("authorization_details", journey.Has(Rich) ? details : null));

        Assert.Equal("connector", told.Claims.GetProperty("client_id").GetString());
        Assert.Equal(dress.Confirmation, Member(told.Claims, "cnf"));
        Assert.Equal(journey.Has(Rich) ? details : null, Member(told.Claims, "authorization_details"));
        Assert.Equal(journey.Has(Rich) ? details : null, Member(told.Json, "authorization_details"));
        if (journey.Has(StepUp))
        {
            Assert.Equal(town.Now, told.Claims.GetProperty("auth_time").GetInt64());
        }

        if (journey.Has(Pairwise))
        {
            Assert.NotEqual(
                (await town.ToldAsync(reply)).GetProperty("sub").GetString(),
                told.Claims.GetProperty("sub").GetString());
        }
    }

    /// <summary>The resource server makes a token for the inside of what was sent to it.</summary>
    public async Task HandsOnAsync(Reply reply)
    {
        if (journey.Has(Workload))
        {
            Change(town.Teller(journey.Bound));
        }

        var made = await TokenAsync(
            ("grant_type", Borough.Exchange), ("subject_token", reply.AccessToken),
            ("subject_token_type", AccessToken), ("requested_token_type", Borough.TxnToken),
            ("audience", "inside.example"), ("scope", "mcp:read"));
        var subject = await town.ToldAsync(reply);

        Assert.Equal(subject.GetProperty("sub").GetString(), made.Claims.GetProperty("sub").GetString());
        Assert.Equal(Member(subject, "act"), Member(made.Claims, "act"));
        Assert.Equal(Member(subject, "authorization_details"), Member(made.Claims, "authorization_details"));
    }

    /// <summary>The token says what it should, and opens its server to its holder alone.</summary>
    public async Task HoldsAsync(Reply reply)
    {
        var claims = journey.IsAtTenant && journey.Has(Opaque) ? default : await town.ToldAsync(reply);
        Assert.Equal(journey.Has(Opaque), reply.AccessToken.StartsWith("pat_", StringComparison.Ordinal));
        Assert.Equal(journey.Bound is Dpop ? "DPoP" : "Bearer", reply.Member("token_type"));
        if (claims.ValueKind is JsonValueKind.Object)
        {
            Says(claims, reply);
        }

        Assert.NotEqual(HttpStatusCode.Unauthorized, await app.CallAsync(reply.AccessToken, journey.Server));
        if (journey.Bound is not null)
        {
            using var thief = town.Bare(dress);
            using var http = thief.Connect();
            var bare = new App(http, dress.Issuer, "", "");
            Assert.Equal(HttpStatusCode.Unauthorized, await bare.CallAsync(reply.AccessToken, journey.Server));
        }
    }

    private void Says(JsonElement claims, Reply reply)
    {
        Assert.Equal(dress.Confirmation, Member(claims, "cnf"));
        Assert.Equal(Resource, claims.GetProperty("aud").GetString());
        Assert.Equal(
            journey.Has(Rich) ? (IsAlone || journey.Has(Assertion) ? "mcp_tool" : "spend") : null,
            claims.TryGetProperty("authorization_details", out var details)
                ? Assert.Single(details.EnumerateArray()).GetProperty("type").GetString()
                : null);
        if (journey.Has(StepUp))
        {
            Assert.Equal("urn:postern:acr:pwd", claims.GetProperty("acr").GetString());
            Assert.True(journey.Has(Backchannel) || claims.GetProperty("auth_time").GetInt64() == town.Now);
        }

        if (journey.Has(Pairwise) && reply.Member("id_token") is { } id)
        {
            Assert.NotEqual(
                claims.GetProperty("sub").GetString(), Jwt.Claims(id).GetProperty("sub").GetString());
        }
    }

    private async Task<Reply> CodeAsync()
    {
        if (journey.Has(StepUp))
        {
            town.Server.Clock.Advance(TimeSpan.FromSeconds(5));
        }

        var mode = (journey.Has(Posted), journey.Has(SignedAnswer)) switch
        {
            (true, true) => "form_post.jwt",
            (true, false) => "form_post",
            (false, true) => "jwt",
            _ => null,
        };
        (string Name, string? Value)[] wish =
        [
            .. App.With(
                [("resource", Resource), ("scope", "openid mcp:read offline_access"), ("nonce", "n")],
                app.Usual),
            ("response_mode", mode),
            Details,
            ("acr_values", journey.Has(StepUp) ? "urn:postern:acr:pwd" : null),
            ("max_age", journey.Has(StepUp) ? "1" : null),
        ];
        wish = journey.Has(Signed) ? [("client_id", dress.Id), ("request", Sign(wish))] : wish;
        if (journey.Has(Pushed) || journey.Has(Fapi))
        {
            var pushed = await app.PostAsync("/par", [.. wish, ("client_secret", app.Secret)]);
            Assert.True(pushed.Status is HttpStatusCode.Created, pushed.Text);
            wish = [("client_id", dress.Id), ("request_uri", pushed.Member("request_uri"))];
        }

        var question = await ada.AskedAsync($"{dress.Prefix}/authorize?{App.Encode(wish)}");
        var code = await CodeOfAsync(await ada.AnswerAsync(question, "allow"));
        var reply = await TokenAsync(
            ("grant_type", "authorization_code"), ("code", code), ("code_verifier", app.Verifier));
        Assert.True(!journey.Has(Pairwise) || reply.Member("id_token") is not null);
        return reply;
    }

    private async Task<string> CodeOfAsync(Stop stop)
    {
        Assert.Equal(journey.Has(Posted), stop.Left is null);
        var query = HttpUtility.ParseQueryString(stop.Left?.Query ?? "");
        var answer = stop.Page is { } page
            ? page.QuerySelectorAll("form.post-back input")
                .ToDictionary(input => input.GetAttribute("name")!, input => input.GetAttribute("value"))
            : query.AllKeys.ToDictionary(name => name!, name => query[name]);
        Assert.Equal(journey.Has(SignedAnswer), answer.ContainsKey("response"));
        return journey.Has(SignedAnswer)
            ? (await town.VerifiedAsync(dress, answer["response"]!)).GetProperty("code").GetString()!
            : answer["code"]!;
    }

    private string Sign((string Name, string? Value)[] wish, string? typ = "oauth-authz-req+jwt")
    {
        var claims = new JsonObject
        {
            ["iss"] = dress.Id,
            ["aud"] = dress.Issuer,
            ["iat"] = town.Now,
            ["nbf"] = town.Now,
            ["exp"] = town.Now + 60,
            ["jti"] = Guid.NewGuid().ToString("N"),
        };
        foreach (var (name, value) in wish.Where(field => field.Value is not null))
        {
            claims[name] = name is "authorization_details" ? JsonNode.Parse(value!) : value;
        }

        return town.Keys.Sign(claims, typ);
    }

    private Task<Reply> TokenAsync(params (string Name, string? Value)[] fields) => SendAsync("/token", fields);

    private async Task<Reply> SendAsync(string path, params (string Name, string? Value)[] fields)
    {
        var id = dress.Id is "" ? null : dress.Id;
        var reply = await app.PostAsync(path, [.. fields, ("client_id", id), ("client_secret", app.Secret)]);
        Assert.True(reply.Status is HttpStatusCode.OK, $"{path} {journey}: {reply.Text}");
        return reply;
    }

    private void Change(Dress other)
    {
        dress = other;
        app = new(dress.Connect(), dress.Issuer, dress.Id, "", town.SecretOf(dress));
    }

    private static string? Member(JsonElement json, string name) =>
        json.TryGetProperty(name, out var member) ? member.GetRawText() : null;
}
