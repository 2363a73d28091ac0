using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>
/// RFC 6749 §2.3: a client proves itself by the method it is registered with, at every endpoint, and by one.
/// </summary>
public sealed class ClientAuthenticationTests(ClientAuthenticationTests.Clients clients)
    : IClassFixture<ClientAuthenticationTests.Clients>
{
    private const string Secret = "a secret: with % + & = and ü in it";

    private readonly TestServer server = clients.Server;

    public static TheoryData<string, string?, string?, string?, string> Table => new()
    {
        // what is tried, Authorization, client_id, client_secret → error, or "" for a token
        { "basic as registered", Header("basic", Secret), null, null, "" },
        { "basic with its own client_id beside", Header("basic", Secret), "basic", null, "" },
        { "the scheme in another case", "bAsIc" + Header("basic", Secret)["basic".Length..], null, null, "" },
        { "post as registered", null, "post", Secret, "" },
        { "an identifier that must be encoded", Header("colon:and space", Secret), null, null, "" },
        { "basic by post", null, "basic", Secret, "invalid_client" },
        { "post by basic", Header("post", Secret), null, null, "invalid_client" },
        { "confidential by name alone", null, "basic", null, "invalid_client" },
        { "both methods", Header("basic", Secret), null, Secret, "invalid_request" },
        { "both methods, two clients", Header("basic", Secret), "post", Secret, "invalid_request" },
        { "another client_id beside", Header("basic", Secret), "post", null, "invalid_request" },
        { "a wrong secret", Header("basic", "wrong"), null, null, "invalid_client" },
        { "an empty secret", Header("basic", ""), null, null, "invalid_client" },
        { "nobody", Header("nobody", Secret), null, null, "invalid_client" },
        { "nobody by post", null, "nobody", Secret, "invalid_client" },
        { "a secret of a public client", null, "open", Secret, "invalid_client" },
        { "a public client by basic", Header("open", ""), null, null, "invalid_client" },
        { "unencoded", App.Basic("basic", Secret), null, null, "invalid_client" },
        { "no colon", "Basic " + Convert.ToBase64String("basic"u8), null, null, "invalid_client" },
        { "not base64", "Basic basic:secret", null, null, "invalid_client" },
        { "nothing after the scheme", "Basic", null, null, "invalid_client" },
        { "a bearer token", "Bearer abc", null, null, "invalid_client" },
        { "a NUL", "Basic " + Convert.ToBase64String("bas\0ic:x"u8), null, null, "invalid_client" },
        { "no UTF-8", "Basic " + Convert.ToBase64String([0xff, 0xfe, (byte)':', 0xff]), null, null, "invalid_client" },
        { "an endless header", "Basic " + new string('A', 20_000), null, null, "invalid_client" },
        { "nobody at all", null, null, null, "invalid_client" },
    };

    [Theory, MemberData(nameof(Table)), Rfc(6749, "2.3.1"), Rfc(6749, "5.2")]
    [Rfc(6749, "2.3")]
    public async Task A_client_is_believed_by_its_own_method_only(
        string what, string? authorization, string? id, string? secret, string error)
    {
        var reply = await new App(server, id ?? "", "").PostAsync(
            "/token",
            [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)],
            authorization);

        if (error is "")
        {
            Assert.True(reply.Status is HttpStatusCode.OK, $"{what}: {reply.Text}");
            return;
        }

        TokenTests.Refused(reply, error);
        Assert.Equal(error is "invalid_client" && authorization is not null, reply.Headers.WwwAuthenticate.Count > 0);
    }

    [Theory]
    [InlineData("?client_secret=x")]
    [InlineData("?client_id=post")]
    [InlineData("?client_assertion=x")]
    [InlineData("?grant_type=client_credentials")]
    [InlineData("?scope=mcp:read")]
    public async Task Nothing_of_a_request_is_taken_from_the_address(string query)
    {
        var reply = await new App(server, "post", "").PostAsync(
            "/token",
            [
                ("grant_type", "client_credentials"), ("client_id", "post"), ("client_secret", Secret),
                ("scope", "mcp:read"),
            ],
            query: query);

        TokenTests.Refused(reply, "invalid_request");
    }

    [Theory]
    [InlineData("/token")]
    [InlineData("/revoke")]
    [InlineData("/introspect")]
    [Rfc(6749, "3.2.1"), Rfc(7662, "2.1")]
    public async Task Every_endpoint_asks_for_the_same_proof(string path)
    {
        (string Name, string? Value)[] fields = [("token", "x"), ("grant_type", "client_credentials")];
        var app = new App(server, "basic", "");

        TokenTests.Refused(
            await app.PostAsync(path, [.. fields, ("client_id", "basic")]), "invalid_client", Nothing(path));
        TokenTests.Refused(
            await app.PostAsync(path, [.. fields, ("client_id", "basic"), ("client_secret", Secret)]),
            "invalid_client");
        TokenTests.Refused(await app.PostAsync(path, fields, Header("basic", "wrong")), "invalid_client");
        TokenTests.Refused(await app.PostAsync(path, fields), "invalid_client", Nothing(path));
        Assert.Equal(HttpStatusCode.OK, (await app.PostAsync(path, fields, Header("basic", Secret))).Status);
    }

    [Fact, Rfc(7662, "4"), Rfc(9701, "5")]
    public async Task Who_proves_nothing_cannot_introspect()
    {
        var reply = await new App(server, "open", "").IntrospectAsync("x");

        TokenTests.Refused(reply, "invalid_client", HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Every_refusal_of_a_client_reads_the_same()
    {
        var app = new App(server, "", "");
        (string Name, string? Value)[] ask = [("grant_type", "client_credentials")];

        var nobody = await app.PostAsync("/token", ask, Header("nobody", Secret));
        var wrong = await app.PostAsync("/token", ask, Header("basic", "wrong"));
        var method = await app.PostAsync("/token", ask, Header("post", Secret));

        Assert.Equal(nobody.Text, wrong.Text);
        Assert.Equal(nobody.Text, method.Text);
    }

    // RFC 9701 §5: who shows nothing at all is told so by another status where tokens are asked about.
    private static HttpStatusCode Nothing(string path) =>
        path is "/introspect" ? HttpStatusCode.BadRequest : HttpStatusCode.Unauthorized;

    // RFC 6749 §2.3.1: both halves are form-encoded, then joined.
    private static string Header(string id, string secret) =>
        App.Basic(WebUtility.UrlEncode(id), WebUtility.UrlEncode(secret));

    /// <summary>A client of each method, on one server for all tries.</summary>
    public sealed class Clients : IAsyncLifetime
    {
        internal TestServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await TestServer.StartAsync($$"""
            demo: false
            clients:
              - client_id: basic
                client_secret: "{{Secret}}"
                token_endpoint_auth_method: client_secret_basic
                grant_types: [client_credentials]
                resources: [echo]
              - client_id: post
                client_secret: "{{Secret}}"
                token_endpoint_auth_method: client_secret_post
                grant_types: [client_credentials]
                resources: [echo]
              - { client_id: open, redirect_uris: [https://open.example/cb] }
              - client_id: "colon:and space"
                client_secret: "{{Secret}}"
                grant_types: [client_credentials]
                resources: [echo]
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
            """);

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
