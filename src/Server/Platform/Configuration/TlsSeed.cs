namespace Postern.Platform.Configuration;

/// <summary>How the server ends TLS itself.</summary>
/// <param name="Certificate">A PEM file: its certificate, then those that lead to the root.</param>
/// <param name="Key">The PEM file of its key.</param>
/// <param name="AsksClients">Whoever connects may show a certificate.</param>
/// <param name="Clients">Where they may; null for everywhere.</param>
internal sealed record TlsSeed(string Certificate, string Key, bool AsksClients, Uri? Clients)
{
    /// <summary>Null where the server listens without TLS.</summary>
    public static TlsSeed? Read(SettingsNode node, Uri listen)
    {
        var certificate = File(node, "certificate", "The server's certificate and those above it.");
        var key = File(node, "key", "The key of the certificate.");
        var asks = node.Value(
            "client_certificates",
            "Whether clients may show a certificate on the connection (RFC 8705).",
            "none",
            "none or allowed",
            text => text is "none" or "allowed" ? text : null) is "allowed";
        var clients = node.Value<Uri>(
            "clients_listen",
            "A second address, where clients are asked for a certificate; at `listen` nobody is then (RFC 8705 §5).",
            null,
            "https://ADDRESS:PORT, another port than that of `listen`, as the outside knows it",
            text => SettingsReader.ParseListen(text) is { Scheme: "https" } uri && uri.Port != listen.Port
                ? uri
                : null);
        node.Close();
        if (clients is not null && !asks)
        {
            throw node.Refuse("`tls.clients_listen` is for `tls.client_certificates: allowed`");
        }

        return (listen.Scheme, certificate, key) switch
        {
            ("https", { } file, { } of) => new(file, of, asks, clients),
            ("https", _, _) => throw node.Refuse("`listen` is https, which needs `tls.certificate` and `tls.key`"),
            (_, null, null) when !asks => null,
            _ => throw node.Refuse("`tls` is for a `listen` that begins with https"),
        };
    }

    private static string? File(SettingsNode node, string key, string what) =>
        node.Value<string>(key, what, null, "a PEM file", text => System.IO.File.Exists(text) ? text : null);
}

/// <summary>Whose word counts for the certificates of clients (RFC 8705 §2.1, RFC 9440).</summary>
/// <param name="Authorities">PEM files of those that issue them.</param>
/// <param name="Proxies">Proxies that end TLS and say which certificate was shown to them.</param>
internal sealed record MutualTlsSeed(IReadOnlyList<string> Authorities, IReadOnlyList<System.Net.IPNetwork> Proxies)
{
    public static MutualTlsSeed Read(SettingsNode node)
    {
        var seed = new MutualTlsSeed(
            node.List(
                "authorities",
                "Who issues the certificates of clients with tls_client_auth: root certificates.",
                "a PEM file",
                text => File.Exists(text) ? text : null),
            SettingsReader.Networks(
                node,
                "proxies",
                "Proxies that end TLS, believed for the certificate that a client showed (Client-Cert, RFC 9440)."));
        node.Close();
        return seed;
    }
}
