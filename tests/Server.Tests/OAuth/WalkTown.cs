using Postern.Servers;

namespace Postern.Tests.OAuth;

/// <summary>A server with a client for everything that is advertised, and a person who has signed in.</summary>
public class WalkTown : IAsyncLifetime
{
    internal const string Secret = "walk-secret-walk-secret-walk-secret-";

    private const string
        Exchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    /// <summary>The keys of the clients that have some.</summary>
    internal static readonly Signer Keys = new("k1");

    /// <summary>The identity provider that is trusted here.</summary>
    internal static readonly Outside Idp = new();

    private static readonly string Yaml = App.Declaring(Butler.Town("TOLD"))
        .Replace("demo: false", "trust_domain: inside.example", StringComparison.Ordinal)
        .Replace("roles: [admin] }", "roles: [admin], name: Ada Lovelace }", StringComparison.Ordinal)
        .Replace(
            "{ name: files, http: http://127.0.0.1:9/mcp }",
            "{ name: files, http: http://127.0.0.1:9/mcp, token: { format: opaque } }",
            StringComparison.Ordinal)
        .Replace(
            "{ name: echo, http: http://127.0.0.1:9/mcp",
            "{ name: echo, token: { status_list: true }, http: http://127.0.0.1:9/mcp",
            StringComparison.Ordinal)
        .Replace("servers:", $$"""
              - client_id: site
                client_secret: {{Secret}}
                redirect_uris: [https://site.example/cb]
                post_logout_redirect_uris: [https://site.example/bye]
                backchannel_logout_uri: LEFT
              - client_id: pair
                client_secret: {{Secret}}
                redirect_uris: [https://pair.example/cb]
                subject_type: pairwise
                id_token_signed_response_alg: ES256
                userinfo_signed_response_alg: RS256
              - client_id: ecs
                client_secret: {{Secret}}
                redirect_uris: [https://ecs.example/cb]
                userinfo_signed_response_alg: ES256
              - client_id: keyed
                redirect_uris: [https://keyed.example/cb]
                jwks: '{{Keys.Jwks}}'
                grant_types: [authorization_code, refresh_token, client_credentials]
                resources: [echo]
              - client_id: sealES256
                client_secret: {{Secret}}
                grant_types: ["{{Butler.GrantType}}"]
                backchannel_authentication_request_signing_alg: ES256
                jwks: '{{Keys.Jwks}}'
              - client_id: sealPS256
                client_secret: {{Secret}}
                grant_types: ["{{Butler.GrantType}}"]
                backchannel_authentication_request_signing_alg: PS256
                jwks: '{{Keys.Jwks}}'
              - client_id: desk
                client_secret: {{Secret}}
                redirect_uris: [https://desk.example/cb]
                grant_types: [authorization_code, refresh_token, '{{Exchange}}']
              - client_id: back
                client_secret: {{Secret}}
                grant_types: ['{{Exchange}}']
                introspects: [echo]
                resources: [echo]
                actor: service
              - { client_id: connector, client_secret: {{Secret}}, grant_types: ['{{JwtBearer}}'] }
              - client_id: copy
                token_endpoint_auth_method: attest_jwt_client_auth
                grant_types: [client_credentials]
                resources: [echo]
              - client_id: copy-dpop
                token_endpoint_auth_method: attest_jwt_client_auth_dpop
                grant_types: [client_credentials]
                resources: [echo]
            MORE
            trusted_attesters:
              - issuer: https://attester.example
                jwks: '{{AttestedApp.Attester.Jwks}}'
                clients: [copy, copy-dpop]
            asserts_to:
              - issuer: https://elsewhere.example
                resources: [https://elsewhere.example/mcp]
                scope: mcp:read
                clients: { desk: connector }
            trusted_issuers:
              - issuer: https://idp.example
                kind: idp
                jwks: '{{Idp.Jwks}}'
                resources: [echo]
                scope: mcp:read
                email_domains: [example.test]
            servers:
            """, StringComparison.Ordinal);

    private protected virtual string More => "";

    /// <summary>Clients, trusted issuers and servers beside, as lines of their lists.</summary>
    private protected virtual string MoreClients => "";

    private protected virtual string MoreIssuers => "";

    private protected virtual string MoreServers => "";

    internal DocumentHost Host { get; } = new();

    internal TestServer Server { get; private set; } = null!;

    internal Person Ada { get; private set; } = null!;

    /// <summary>The seconds since 1970.</summary>
    internal long Now => Server.Clock.GetUtcNow().ToUnixTimeSeconds();

    public virtual async ValueTask InitializeAsync()
    {
        Host.Put("/told", "");
        Host.Put("/left", "");
        Server = await TestServer.StartAsync(More + Host.Settings + Yaml
            .Replace("servers:", MoreIssuers + "servers:", StringComparison.Ordinal)
            .Replace("MORE\n", MoreClients, StringComparison.Ordinal)
            .Replace("TOLD", Host.At("/told"), StringComparison.Ordinal)
            .Replace("LEFT", Host.At("/left"), StringComparison.Ordinal) + "\n" + MoreServers);
        // Until then it cannot know which proofs were used at a server that was here before.
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        Ada = new(Server);
        await Ada.SignInAsync();
        var notes = Server.Get<ServerBook>().Find(TenantId.Default, "notes")!;
        await Eventually.TrueAsync(() => Server.Get<ServerBook>().Catalogue(notes) is not null);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Ada.Dispose();
        await Server.DisposeAsync();
        await Host.DisposeAsync();
    }

    /// <summary>A client that keeps a secret and answers at a host of its own.</summary>
    internal App AppOf(string id) => new(Server, id, $"https://{id}.example/cb", Secret);

    /// <summary>Ada says yes to everything that waits on her page.</summary>
    internal async Task AllowAllAsync()
    {
        foreach (var address in await Butler.WaitingAsync(Ada))
        {
            await Ada.AnswerAsync(await Ada.AskedAsync(address), "allow");
        }
    }
}

/// <summary>The same town, which takes a proof only with a nonce of its own, and knows workloads by SPIFFE.</summary>
public sealed class StrictTown : WalkTown
{
    internal const string Workload = "spiffe://example.org/agent";

    /// <summary>Who signs for the workloads.</summary>
    internal static readonly Outside Domain = new();

    private readonly string bundle = Path.GetTempFileName();

    private protected override string More => $$"""
        dpop: { require_nonce: true }
        spiffe:
          - { trust_domain: example.org, bundle_file: {{bundle}} }

        """;

    private protected override string MoreClients =>
        $"  - {{ client_id: '{Workload}', token_endpoint_auth_method: spiffe_jwt, grant_types: [client_credentials], "
        + "resources: [echo] }\n";

    public override async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(bundle, SpiffeTests.Bundle(Domain));
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        File.Delete(bundle);
    }
}
