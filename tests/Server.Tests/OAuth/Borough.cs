using System.Text.Json.Nodes;
using Postern.Audit;
using Postern.Grants.Parties;
using Postern.Identity.Users;

namespace Postern.Tests.OAuth;

/// <summary>
/// A town in which every way to a token is walked by an agent's clients: the agent is Bob's and of one organization,
/// the person is Ada, of another, and those whose word counts are of a third.
/// </summary>
internal static class Borough
{
    public const string
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
        Exchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        IdJag = "urn:ietf:params:oauth:token-type:id-jag",
        TxnToken = "urn:ietf:params:oauth:token-type:txn_token",
        RefreshToken = "urn:ietf:params:oauth:token-type:refresh_token",
        AccessToken = "urn:ietf:params:oauth:token-type:access_token",
        Secret = "borough-secret-borough-secret-borough",
        Agent = "robot", Clerk = "clerk",
        Idp = "https://idp.example", As = "https://as.example", Platform = "https://platform.example";

    public static readonly Outside Outside = new();

    public static readonly string Yaml = Butler.Town()
        .Replace("client_id: native,", $"client_id: native, may_act: {Agent},", StringComparison.Ordinal)
        .Replace("roles: [admin] }", "roles: [admin], organization: acme }", StringComparison.Ordinal)
        .Replace(
            "servers:",
            $$"""
              - client_id: desk
                client_secret: {{Secret}}
                grant_types: ['{{Exchange}}']
                introspects: [echo]
                resources: [echo]
              - { client_id: back, client_secret: {{Secret}}, grant_types: ['{{Exchange}}'], introspects: [echo] }
              - client_id: porter
                client_secret: {{Secret}}
                redirect_uris: [https://porter.example/cb]
                grant_types: [authorization_code, refresh_token, '{{Exchange}}']
                may_act: {{Clerk}}
              - { client_id: connector, client_secret: {{Secret}}, grant_types: ['{{JwtBearer}}'] }
            organizations:
              - { id: acme, name: Acme }
              - { id: maker }
              - { id: outside }
            agents:
              - id: {{Agent}}
                name: The robot
                owner: {{Person.Bob}}
                organization: maker
                purpose: Keeps the books in order
                ends: 2027-06-30
                clients: [web, native, bench, desk, back, porter, connector, tv, butler, night]
                workloads: { '{{Platform}}': job }
              - id: {{Clerk}}
                owner: {{Person.Bob}}
                purpose: Files what came in
                ends: 2027-06-30
                jwks: '{{Outside.Jwks}}'
                scope: mcp:read mcp:write
                servers: [echo]
            trust_domain: inside.example
            asserts_to:
              - issuer: https://else.example
                resources: [https://else.example/mcp]
                scope: mcp:read
                clients: { porter: connector }
            trusted_issuers:
              - issuer: {{Idp}}
                kind: idp
                organization: outside
                jwks: '{{Outside.Jwks}}'
                resources: [echo]
                scope: mcp:read
                email_domains: [example.test]
              - issuer: {{As}}
                kind: authorization_server
                organization: outside
                jwks: '{{Outside.Jwks}}'
                resources: [echo]
                scope: mcp:read
                email_domains: [example.test]
              - issuer: {{Platform}}
                kind: workload
                organization: outside
                jwks: '{{Outside.Jwks}}'
                resources: [echo]
                scope: mcp:read
            servers:
            """,
            StringComparison.Ordinal);

    public static AuditEntry Entry => new() { Tenant = TenantId.Default, Kind = AuditKinds.SwitchedOff };

    public static async Task<Party> PartyAsync(TestServer server, PartyKind kind, string id)
    {
        if (kind is not PartyKind.User)
        {
            return new(TenantId.Default, kind, id);
        }

        var user = await server.Get<UserStore>().FindByEmailAsync(TenantId.Default, id, default);
        return Party.Of(TenantId.Default, user!.Id);
    }

    public static async Task OffAsync(TestServer server, PartyKind kind, string id) => Assert.True(
        await server.Get<Switches>().TurnOffAsync(await PartyAsync(server, kind, id), "a test", null, Entry));

    public static async Task OnAsync(TestServer server, PartyKind kind, string id) => Assert.True(
        await server.Get<Switches>().TurnOnAsync(await PartyAsync(server, kind, id), Entry));

    /// <summary>
    /// Goes all the way but the last step; that may be taken again and again until it is let through once.
    /// </summary>
    public static async Task<Func<Task<Reply>>> PrepareAsync(TestServer server, Person ada, string way)
    {
        switch (way)
        {
            case "code":
                var web = App.Web(server);
                var code = (await ada.AllowAsync(web.Authorize())).Code;
                return () => web.RedeemAsync(code);
            case "refresh":
                var refresh = (await App.Web(server).LetInAsync(ada)).RefreshToken;
                return () => App.Web(server).RefreshAsync(refresh);
            case "client_credentials":
                return () => App.Bench(server).AsItselfAsync();
            case "exchange":
                var subject = (await App.Web(server).LetInAsync(ada)).AccessToken;
                return () => ExchangeAsync(server, "desk", subject);
            case "transaction":
                var sent = (await App.Web(server).LetInAsync(ada)).AccessToken;
                return () => ExchangeAsync(
                    server,
                    "back",
                    sent,
                    ("requested_token_type", TxnToken),
                    ("audience", "inside.example"),
                    ("scope", "mcp:read"));
            case "assertion elsewhere":
                var shown = (await new App(server, "porter", "https://porter.example/cb", Secret).LetInAsync(ada))
                    .RefreshToken;
                return () => ExchangeAsync(
                    server,
                    "porter",
                    shown,
                    ("subject_token_type", RefreshToken),
                    ("requested_token_type", IdJag),
                    ("audience", "https://else.example"));
            case "device":
                var device = await Gadget.Tv(server).AnsweredAsync(ada);
                return () => Gadget.Tv(server).PollAsync(device);
            case "backchannel":
                var asked = (await Butler.Of(server).AskAsync()).Member("auth_req_id")!;
                await AnswerAsync(ada);
                return () => Butler.Of(server).PollAsync(asked);
            case "deferred":
                var night = new App(server, "night", "", Butler.NightSecret);
                var deferral = (await night.AsItselfAsync(("completion_mode", "deferred"))).Member("deferral_code");
                await AnswerAsync(ada);
                return () => night.PostAsync(
                    "/token",
                    [
                        ("grant_type", Butler.Deferred),
                        ("deferral_code", deferral),
                        ("client_id", "night"),
                        ("client_secret", Butler.NightSecret),
                    ]);
            case "identity assertion":
                return Presenting(server, Claims(server, Idp), "oauth-id-jag+jwt", "connector");
            case "chaining":
                return Presenting(server, Claims(server, As), "JWT", "connector");
            case "workload":
                var job = Claims(server, Platform);
                job["sub"] = "job";
                return Presenting(server, job, "JWT", null);
            default:
                throw new InvalidOperationException(way);
        }
    }

    /// <summary>How an agent with keys proves itself.</summary>
    public static (string Name, string? Value)[] Proof(TestServer server, string id = Clerk, Outside? keys = null)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = id,
            ["sub"] = id,
            ["aud"] = server.Issuer,
            ["iat"] = now,
            ["exp"] = now + 60,
            ["jti"] = Guid.NewGuid().ToString(),
        };
        return
        [
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", (keys ?? Outside).Sign(claims, "client-authentication+jwt")),
        ];
    }

    private static Func<Task<Reply>> Presenting(TestServer server, JsonObject claims, string typ, string? client)
    {
        var assertion = Outside.Sign(claims, typ);
        return () => new App(server, "", "").PostAsync(
            "/token",
            [
                ("grant_type", JwtBearer),
                ("assertion", assertion),
                ("client_id", client),
                ("client_secret", client is null ? null : Secret),
            ]);
    }

    private static async Task AnswerAsync(Person ada) =>
        await ada.AnswerAsync(await ada.AskedAsync(Assert.Single(await Butler.WaitingAsync(ada))), "allow");

    public static Task<Reply> ExchangeAsync(
        TestServer server, string client, string token, params (string Name, string? Value)[] changes) =>
        new App(server, client, "", Secret).PostAsync(
            "/token",
            App.With(
                changes,
                ("grant_type", Exchange),
                ("subject_token", token),
                ("subject_token_type", AccessToken),
                ("client_id", client),
                ("client_secret", Secret)));

    private static JsonObject Claims(TestServer server, string issuer)
    {
        var now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = issuer,
            ["sub"] = "u-1",
            ["email"] = Person.Ada,
            ["email_verified"] = true,
            ["aud"] = server.Issuer,
            ["resource"] = $"{server.Issuer}/mcp/echo",
            ["scope"] = "mcp:read",
            ["iat"] = now,
            ["exp"] = now + 300,
            ["jti"] = Guid.NewGuid().ToString(),
        };
        if (issuer is Idp)
        {
            claims["client_id"] = "connector";
        }

        return claims;
    }
}
