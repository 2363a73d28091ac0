using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using Postern.Tests.Platform;

namespace Postern.Tests.OAuth;

/// <summary>A web site with metadata documents, over real TLS under an authority of its own.</summary>
internal sealed class DocumentHost : IAsyncDisposable
{
    public const string Ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json";

    private readonly Dictionary<string, (string Head, string Body)> pages = new(StringComparer.Ordinal);
    private readonly string authority = Path.GetTempFileName();
    private readonly string name;
    private readonly OutboundPeer peer;

    /// <param name="port">Where it listens; 0 for any.</param>
    /// <param name="name">What it is called, for a resolver that knows it; its address unless told.</param>
    public DocumentHost(int port = 0, string name = "127.0.0.1")
    {
        this.name = name;
        var now = TimeProvider.System.GetUtcNow();
        using var root = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Authority of the documents", root, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var issuer = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(3));
        File.WriteAllText(authority, issuer.ExportCertificatePem());
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var leaf = new CertificateRequest("CN=documents", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        if (!IPAddress.TryParse(name, out _))
        {
            names.AddDnsName(name);
        }

        leaf.CertificateExtensions.Add(names.Build());
        using var signed = leaf.Create(issuer, now.AddDays(-1), now.AddDays(2), [1, 2, 3, 4]);
        using var whole = signed.CopyWithPrivateKey(key);
        peer = new(
            AnswerAsync,
            certificate: X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null),
            port: port);
    }

    public int Port => peer.Port;

    public int Requests => peer.Requests;

    /// <summary>Requests that brought something, whole.</summary>
    public ConcurrentQueue<string> Heard { get; } = [];

    /// <summary>What a server must be told to fetch from here.</summary>
    public string Settings => $"outbound: {{ allow: [127.0.0.1/32], trust: [{authority}] }}\n";

    public string At(string path) => new Uri(peer.At(path, name, "https")).AbsoluteUri;

    public void Put(string path, string body, string head = Ok) => pages[path] = (head, body);

    /// <summary>A document of a client that is as it should be, with some members more or other ones.</summary>
    public string Client(string path, string members = "", string redirect = "https://doc.example/cb")
    {
        var url = At(path);
        Put(
            path,
            $$"""{"client_id":"{{url}}","client_name":"A document","redirect_uris":["{{redirect}}"]{{members}}}""");
        return url;
    }

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(authority))
        {
            await peer.DisposeAsync();
            File.Delete(authority);
        }
    }

    private async Task AnswerAsync(string head, Stream stream, CancellationToken stop)
    {
        await HearAsync(head, stream, stop);
        var path = head.Split(' ')[1];
        var (answer, body) = pages.GetValueOrDefault(
            path, ("HTTP/1.1 404 Not Found\r\nContent-Type: application/json", "{}"));
        await OutboundPeer.WriteAsync(stream, answer, body, stop);
    }

    private async Task HearAsync(string head, Stream stream, CancellationToken stop)
    {
        if (Regex.Match(head, "Content-Length: (\\d+)", RegexOptions.IgnoreCase) is { Success: true } length)
        {
            var missing = int.Parse(length.Groups[1].ValueSpan) - head[(head.IndexOf("\r\n\r\n") + 4)..].Length;
            var rest = new byte[missing];
            await stream.ReadExactlyAsync(rest, stop);
            Heard.Enqueue(head + Encoding.UTF8.GetString(rest));
        }
    }
}
