using System.Security.Cryptography.X509Certificates;
using System.Text;
using Postern.OAuth.ClientAuth;

namespace Postern.Tests.OAuth.Input;

/// <summary>Clients that prove themselves by a certificate, or by what SPIFFE gave them.</summary>
internal static partial class Tables
{
    private const string Leaf = "Client-Cert", Chain = "Client-Cert-Chain", OnConnection = "<certificate>";

    private static readonly (string Name, Func<InputTown, Task<Attempt>> Make)[] Certificates =
    [
        ("POST /token, client_credentials with tls_client_auth", town => Task.FromResult(Connected(town, "dn"))),
        ("POST /token, client_credentials with self_signed_tls_client_auth",
            town => Task.FromResult(Connected(town, "own"))),
        ("POST /token, client_credentials with tls_client_auth, behind a proxy",
            town => Task.FromResult(OfAgent(town.Certificates))),
        ("POST /token, client_credentials with self_signed_tls_client_auth, behind a proxy",
            town => Task.FromResult(OfOwn(town.Certificates))),
        ("POST /token, client_credentials with spiffe_x509, behind a proxy",
            town => Task.FromResult(OfWorkload(town.Certificates))),
        ("POST /token, client_credentials with spiffe_jwt", town => Task.FromResult(BySvid(town.Certificates))),
        ("POST /mcp/{server} with a token that is bound to a certificate", town => HeldAsync(town.Certificates)),
    ];

    private static (DateTimeOffset, DateTimeOffset) Past(TestServer server) =>
        (server.Clock.GetUtcNow().AddDays(-2), server.Clock.GetUtcNow().AddSeconds(-1));

    // The certificate stands here as text with its key, and is shown when the connection begins.
    private static Attempt Connected(InputTown town, string client)
    {
        var house = town.Certificates.House;
        var isOwn = client is "own";
        Func<Task<string>> Show(X509Certificate2 certificate) => Be(Pem(certificate));
        X509Certificate2 Named(
            string usage = Authority.ForClients, Action<CertificateRequest>? change = null, bool isOver = false) =>
            house.Authority.Issue(
                "CN=agent, O=Example",
                usage: usage,
                change: change,
                good: isOver ? Past(house.Server) : null);
        return new(
            [
                ("grant_type", "client_credentials"),
                ("resource", $"{house.Server.Issuer}/mcp/echo"),
                ("client_id", client),
                (OnConnection, Pem(house.Of(client))),
            ],
            fields => ConnectAsync(house, fields))
        {
            Only = ["client_id", OnConnection],
            Never = [(OnConnection, Wrong.Empty), (OnConnection, Wrong.Twice)],
            Others = new()
            {
                [("client_id", Wrong.OtherClient)] = Be("dns"),
                [(OnConnection, Wrong.Long)] = Show(Named(change: Grow)),
                [(OnConnection, Wrong.Type)] = Show(Authority.SelfSigned("CN=agent, O=Example")),
                [(OnConnection, Wrong.Encoding)] = Show(house.Authority.Issue(NoUtf8)),
                [(OnConnection, Wrong.OtherClient)] = Show(house.Of("dns")),
                [(OnConnection, Wrong.OtherPurpose)] = Show(Named(Authority.ForServers)),
                [(OnConnection, Wrong.Expired)] = Show(isOwn
                    ? Authority.SelfSigned("CN=own", good: Past(house.Server))
                    : Named(isOver: true)),
            },
        };
    }

    /// <summary>A name in another encoding (TeletexString); one that is not what it says ends the handshake.</summary>
    private static X500DistinguishedName NoUtf8 =>
        new((byte[])[0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 3, 0x55, 4, 3, 0x14, 2, 0xff, 0xfe]);

    private static void Grow(CertificateRequest request) => request.CertificateExtensions.Add(
        new X509Extension("1.2.3.4.5", [4, 0x82, 0x42, 0x68, .. new byte[17_000]], critical: false));

    private static string Pem(X509Certificate2 certificate) =>
        certificate.ExportCertificatePem() + "\n" + certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();

    private static async Task<string> ConnectAsync(MutualTlsHouse house, (string Name, string? Value)[] fields)
    {
        var pem = fields.SingleOrDefault(field => field.Name is OnConnection).Value;
        using var shown = pem is null ? null : X509Certificate2.CreateFromPem(pem, pem);
        using var wire = new Wire(Authority.Connect(house.Server, shown));
        return InputTown.Word(await wire.SendAsync(HttpMethod.Post, "/token", fields, Wire.Form));
    }

    // What a proxy says of the certificate, and of those above it.
    private static Attempt Proxied(
        CertTown town, string client, X509Certificate2 leaf, params X509Certificate2[] above) => new(
            [
                ("grant_type", "client_credentials"),
                ("client_id", client),
                (Leaf, HeaderServer.Encoded(leaf)),
                .. above.Select(one => (Chain, (string?)HeaderServer.Encoded(one))),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Only = ["client_id", Leaf, Chain],
            Others = new()
            {
                [("client_id", Wrong.OtherPurpose)] = Be("web"),
                [(Leaf, Wrong.Type)] = Be($":{Convert.ToBase64String(Encoding.ASCII.GetBytes(Pem(leaf)))}:"),
                [(Leaf, Wrong.Encoding)] = Be($":{Attempt.NoText}:"),
                [(Chain, Wrong.Encoding)] = Be($":{Attempt.NoText}:"),
                [(Chain, Wrong.OtherClient)] = Be(HeaderServer.Encoded(town.Stranger.Certificate)),
                [(Chain, Wrong.OtherPurpose)] = Be(HeaderServer.Encoded(leaf)),
            },
        };

    private static Attempt OfAgent(CertTown town)
    {
        var attempt = Proxied(town, "agent", town.Branch.Issue("CN=agent"), town.Branch.Certificate);
        attempt.Others[("client_id", Wrong.OtherClient)] = Be("own");
        attempt.Others[(Leaf, Wrong.OtherClient)] = Be(HeaderServer.Encoded(town.Branch.Issue("CN=agent2")));
        attempt.Others[(Leaf, Wrong.OtherPurpose)] = Be(
            HeaderServer.Encoded(town.Branch.Issue("CN=agent", usage: Authority.ForServers)));
        attempt.Others[(Leaf, Wrong.Expired)] = Be(
            HeaderServer.Encoded(town.Branch.Issue("CN=agent", good: Past(town.Server))));
        return attempt;
    }

    private static Attempt OfOwn(CertTown town)
    {
        var attempt = Proxied(town, "own", town.Own);
        attempt.Others[("client_id", Wrong.OtherClient)] = Be("agent");
        attempt.Others[(Leaf, Wrong.OtherClient)] = Be(HeaderServer.Encoded(town.Branch.Issue("CN=agent")));
        attempt.Others[(Leaf, Wrong.OtherPurpose)] = Be(HeaderServer.Encoded(Authority.SelfSigned("CN=own")));
        return attempt;
    }

    private static Attempt OfWorkload(CertTown town)
    {
        var attempt = Proxied(town, CertTown.Workload, town.Issue(CertTown.Workload), town.Branch.Certificate);
        attempt.Others[("client_id", Wrong.OtherClient)] = Be(CertTown.Other);
        attempt.Others[("client_id", Wrong.OtherTenant)] = Be(CertTown.Elsewhere);
        attempt.Others[(Leaf, Wrong.OtherClient)] = Be(HeaderServer.Encoded(town.Issue(CertTown.Other)));
        attempt.Others[(Leaf, Wrong.OtherTenant)] = Be(HeaderServer.Encoded(town.Issue(CertTown.Elsewhere)));
        attempt.Others[(Leaf, Wrong.OtherPurpose)] = Be(HeaderServer.Encoded(town.Branch.Certificate));
        attempt.Others[(Leaf, Wrong.Expired)] = Be(
            HeaderServer.Encoded(town.Issue(CertTown.Workload, Past(town.Server))));
        return attempt;
    }

    // It may be shown again while it lasts.
    private static Attempt BySvid(CertTown town) => new(
        [
            ("grant_type", "client_credentials"),
            ("client_assertion", town.Svid(CertTown.Workload)),
            ("client_assertion_type", ClientCredentials.SvidType),
            ("client_id", CertTown.Workload),
        ],
        fields => town.PostAsync("/token", fields))
    {
        Only = ["client_assertion", "client_assertion_type", "client_id"],
        Others = new()
        {
            [("client_assertion", Wrong.OtherClient)] = Be(town.Svid(CertTown.Other)),
            [("client_assertion", Wrong.OtherTenant)] = Be(town.Svid(CertTown.Elsewhere, by: town.OtherSigner)),
            [("client_assertion", Wrong.OtherPurpose)] = Be(town.Svid(CertTown.Workload, typ: "at+jwt")),
            [("client_assertion", Wrong.Expired)] = Be(
                town.Svid(CertTown.Workload, claims => claims["exp"] = town.Now - 1)),
            [("client_assertion", Wrong.Replayed)] = async () =>
            {
                var svid = town.Svid(CertTown.Workload);
                await town.PostAsync(
                    "/token",
                    [
                        ("grant_type", "client_credentials"), ("client_assertion", svid),
                        ("client_assertion_type", ClientCredentials.SvidType),
                    ]);
                return svid;
            },
            [("client_assertion_type", Wrong.OtherPurpose)] = Be(AssertionType),
            [("client_id", Wrong.OtherClient)] = Be(CertTown.Other),
            [("client_id", Wrong.OtherTenant)] = Be(CertTown.Elsewhere),
            [("client_id", Wrong.OtherPurpose)] = Be("web"),
        },
    };

    private static async Task<Attempt> HeldAsync(CertTown town)
    {
        var certificate = town.Authority.Issue("CN=agent");
        var token = (await HeaderServer.AskAsync(town.Server, "agent", certificate)).AccessToken;
        return new(
            [(Basic, $"Bearer {token}"), (Leaf, HeaderServer.Encoded(certificate))],
            async fields => InputTown.Word(await town.Wire.CallAsync("/mcp/echo", fields)))
        {
            Only = [Leaf],
            Others = new()
            {
                [(Leaf, Wrong.Encoding)] = Be($":{Attempt.NoText}:"),
                [(Leaf, Wrong.OtherClient)] = Be(HeaderServer.Encoded(town.Authority.Issue("CN=agent"))),
                [(Leaf, Wrong.Expired)] = Be(
                    HeaderServer.Encoded(town.Authority.Issue("CN=agent", good: Past(town.Server)))),
            },
        };
    }
}
