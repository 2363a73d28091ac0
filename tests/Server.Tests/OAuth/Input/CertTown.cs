using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth.Input;

/// <summary>
/// Two servers whose clients show certificates: one that ends TLS itself, and one behind a proxy whose word counts,
/// which knows workloads by SPIFFE, too.
/// </summary>
internal sealed class CertTown : IAsyncDisposable
{
    public const string
        Workload = "spiffe://example.org/agent", Other = "spiffe://example.org/other",
        Elsewhere = "spiffe://other.example/agent";

    private const string Rest = "grant_types: [client_credentials], resources: [echo], scope: mcp:read";

    private readonly string bundle = Path.GetTempFileName(), others = Path.GetTempFileName();

    public Authority Authority { get; } = new("CN=example.org");

    /// <summary>Below the authority, and known to nobody else.</summary>
    public Authority Branch { get; }

    /// <summary>Nobody has named it.</summary>
    public Authority Stranger { get; } = new("CN=example.org");

    public X509Certificate2 Own { get; } = Authority.SelfSigned("CN=own");

    /// <summary>Of both trust domains.</summary>
    public Outside Signer { get; } = new();

    public Outside OtherSigner { get; } = new();

    public MutualTlsHouse House { get; } = new();

    public TestServer Server { get; private set; } = null!;

    public Wire Wire { get; private set; } = null!;

    private CertTown() => Branch = new("CN=A branch", Authority);

    public long Now => Server.Clock.GetUtcNow().ToUnixTimeSeconds();

    public static async Task<CertTown> StartAsync()
    {
        var town = new CertTown();
        await File.WriteAllTextAsync(town.bundle, SpiffeTests.Bundle(town.Signer, town.Authority));
        await File.WriteAllTextAsync(town.others, SpiffeTests.Bundle(town.OtherSigner));
        await town.House.InitializeAsync();
        town.Server = await HeaderServer.StartAsync(
            $$"""
            spiffe:
              - { trust_domain: example.org, bundle_file: {{town.bundle}} }
              - { trust_domain: other.example, bundle_file: {{town.others}} }
            """,
            $$"""
              - client_id: agent
                token_endpoint_auth_method: tls_client_auth
                tls_client_auth_subject_dn: CN=agent
                tls_client_certificate_bound_access_tokens: true
                {{Rest.Replace(", ", "\n    ", StringComparison.Ordinal)}}
              - client_id: own
                token_endpoint_auth_method: self_signed_tls_client_auth
                jwks: '{{Authority.Jwks(town.Own)}}'
                {{Rest.Replace(", ", "\n    ", StringComparison.Ordinal)}}
              - { client_id: '{{Workload}}', {{Rest}} }
              - { client_id: '{{Other}}', {{Rest}} }
              - { client_id: '{{Elsewhere}}', {{Rest}} }
            """,
            authority: town.Authority.File);
        town.Wire = Wire.To(town.Server.Http.BaseAddress!);
        return town;
    }

    public X509Certificate2 Issue(string workload, (DateTimeOffset, DateTimeOffset)? good = null) =>
        Branch.Issue("C=US, O=SPIRE", names => names.AddUri(new(workload)), good: good);

    public string Svid(string workload, Action<JsonObject>? change = null, Outside? by = null, string? typ = null)
    {
        var claims = new JsonObject
        {
            ["sub"] = workload,
            ["aud"] = Server.Issuer,
            ["iat"] = Now - 1,
            ["exp"] = Now + 300,
        };
        change?.Invoke(claims);
        return (by ?? Signer).Sign(claims, typ);
    }

    public async Task<string> PostAsync(string path, (string Name, string? Value)[] fields) =>
        InputTown.Word(await Wire.SendAsync(HttpMethod.Post, path, fields, Wire.Form));

    public async ValueTask DisposeAsync()
    {
        Wire.Dispose();
        await Server.DisposeAsync();
        await House.DisposeAsync();
        Array.ForEach([Authority, Branch, Stranger], authority => authority.Dispose());
        Array.ForEach([bundle, others], File.Delete);
    }
}
