using System.Security.Cryptography.X509Certificates;
using Postern.Tests.OAuth;

namespace Postern.Tests.Interop;

/// <summary>Software that others wrote proves itself by a certificate.</summary>
public sealed class CertificateClientTests(MutualTlsHouse house) : IClassFixture<MutualTlsHouse>
{
    [Fact, Rfc(8705, "2.1"), Rfc(8705, "3")]
    public async Task Openid_client_shows_its_certificate_and_its_token_is_good_with_it_alone()
    {
        var folder = Directory.CreateTempSubdirectory("postern-").FullName;
        var (file, key) = (Path.Combine(folder, "client.pem"), Path.Combine(folder, "client.key"));
        using var certificate = house.Of("dn");
        await File.WriteAllTextAsync(file, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(key, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());

        var answer = await Node.RunAsync(
            "clients/openid-client-mtls.mjs", "--base", house.Server.Issuer, "--client-id", "dn",
            "--resource", $"{house.Server.Issuer}/mcp/echo", "--certificate", file, "--key", key,
            "--authority", house.ServerAuthority);

        Assert.True(answer.Succeeded, answer.ToString());
        var payload = answer.Json.GetProperty("token").GetProperty("payload");
        Assert.Equal(
            Authority.Thumbprint(certificate), payload.GetProperty("cnf").GetProperty("x5t#S256").GetString());
        Assert.Equal(200, answer.Json.GetProperty("shown").GetInt32());
        Assert.Equal(401, answer.Json.GetProperty("hidden").GetInt32());
        Directory.Delete(folder, recursive: true);
    }
}
