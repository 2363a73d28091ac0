using System.Net;
using Postern.Platform.Database;

namespace Postern.Platform.Configuration;

/// <summary>Reads the settings, each with the sentence that docs/settings.md says of it.</summary>
internal static class SettingsReader
{
    public static Settings Read(SettingsSource source)
    {
        var root = source.Root();
        var listen = root.Value(
            "listen", "Where the server listens.", "http://localhost:7400", "http(s)://ADDRESS:PORT", ParseListen);
        var data = root.Value(
            "data",
            "The folder of the master key, and of what hosted servers write.",
            "./data",
            "a folder",
            text => text.Length > 0 ? text : null)!;
        var registration = root.Group("registration");
        var tokens = root.Group("tokens");
        var outbound = root.Group("outbound");
        var audit = root.Group("audit");
        var dpop = root.Group("dpop");
        var telemetry = root.Group("telemetry");
        var logs = root.Group("logs");
        var settings = new Settings
        {
            File = source.File ?? ServeArguments.DefaultFile,
            Listen = listen,
            Issuer = root.Value(
                "issuer",
                "How the outside reaches the server; the issuer of all tokens.",
                listen.IsLoopback ? listen.GetLeftPart(UriPartial.Authority) : null,
                "https://HOST, or http://HOST:PORT on loopback, without path or trailing slash",
                ParseIssuer) ?? throw new SetupException(
                    $"`issuer` is missing: the server listens on {listen}, and only you know the address people use."),
            Tls = TlsSeed.Read(root.Group("tls"), listen),
            MutualTls = MutualTlsSeed.Read(root.Group("mtls")),
            Database = root.Value(
                "database",
                "Where the data lives; left out, a file of SQLite in `data`.",
                $"sqlite:{data}/postern.db",
                DatabaseAddress.Expectation,
                ParseDatabase,
                isSecret: true),
            Data = data,
            OutboundAllow = Networks(outbound, "allow", "Private ranges that fetches may reach."),
            OutboundTrust = outbound.List("trust", "Further certificate authorities.", "a PEM file", ExistingFile),
            DynamicRegistration = registration.Flag("dynamic", "Clients may register themselves (RFC 7591).", true),
            MetadataDocuments = registration.Flag(
                "metadata_documents", "A client may be the URL of its metadata document.", true),
            DeviceFlow = root.Flag(
                "device_flow", "A program without a browser may ask a person by a code (RFC 8628).", true),
            RequiresPush = root.Flag(
                "require_pushed_authorization_requests",
                "Every client pushes its requests, or they are refused (RFC 9126).",
                false),
            AuditIsRelaxed = audit.Value(
                "mode",
                "Whether calls of reading tools wait until their entry is durable.",
                "strict",
                "strict or relaxed",
                text => text is "strict" or "relaxed" ? text : null) is "relaxed",
            AccessLifetime = tokens.Duration(
                "access_lifetime",
                "How long an access token is good.",
                "10m",
                TimeSpan.FromMinutes(1),
                TimeSpan.FromHours(1)),
            RefreshIdle = tokens.Duration(
                "refresh_idle",
                "How long a refresh token may rest.",
                "30d",
                TimeSpan.FromMinutes(10),
                TimeSpan.FromDays(365)),
            RefreshAbsolute = tokens.Duration(
                "refresh_absolute",
                "The longest a person can let somebody in for.",
                "180d",
                TimeSpan.FromHours(1),
                TimeSpan.FromDays(730)),
            DpopWindow = dpop.Duration(
                "window",
                "How far the time of a DPoP proof may be from now.",
                "60s",
                TimeSpan.FromSeconds(10),
                TimeSpan.FromMinutes(5)),
            DpopRequiresNonce = dpop.Flag(
                "require_nonce", "Takes only proofs with a nonce of ours, which nobody can make ahead of time.", false),
            DpopRemembered = (int)dpop.Number(
                "remembered",
                "How many used proofs a node remembers at a time, in at most 64 bytes each.",
                524_288,
                1024,
                16_777_216),
            DefaultServer = root.Text(
                "default_server",
                "The server meant when a client names no resource; the only one, if there is one.",
                null,
                "a server's name"),
            Proxies = Networks(root, "proxies", "Proxies in front, believed for the caller's address only."),
            Otlp = telemetry.Value<Uri>(
                "otlp",
                "Where traces and metrics go: OTLP over HTTP, or gRPC on port 4317.",
                null,
                "http(s)://HOST:PORT",
                ParseHttp),
            LogsAreJson = logs.Value(
                "format",
                "How log lines look.",
                "text",
                "text or json",
                text => text is "text" or "json" ? text : null) is "json",
            Demo = root.Flag("demo", "Offers the demo server `notes`.", true),
            Users = root.Groups("users", "email", UserSeed.Read),
            Clients = root.Groups("clients", "client_id", ClientSeed.Read),
            Servers = root.Groups("servers", "name", ServerSeed.Read),
            Spiffe = root.Groups("spiffe", "trust_domain", SpiffeSeed.Read),
            Organizations = root.Groups("organizations", "id", OrganizationSeed.Read),
            Agents = root.Groups("agents", "id", AgentSeed.Read),
            TrustedIssuers = root.Groups("trusted_issuers", "issuer", TrustedIssuerSeed.Read),
            TrustedAttesters = root.Groups("trusted_attesters", "issuer", TrustedAttesterSeed.Read),
            TrustDomain = root.Text(
                "trust_domain",
                "The audience of transaction tokens, which are issued when it is named.",
                null,
                "a name"),
            AssertsTo = root.Groups("asserts_to", "issuer", AssertionAudienceSeed.Read),
        };
        Array.ForEach([registration, tokens, outbound, audit, dpop, telemetry, logs, root], node => node.Close());
        source.Close();
        if (settings is { TrustDomain: null } && settings.Servers.Any(server => server.TransactionTokens))
        {
            throw root.Refuse("`trust_domain` is missing; a server has `transaction_tokens`");
        }

        return settings.DefaultServer is { } name && !settings.Names(name)
            ? throw root.Refuse("default_server", "the name of one of `servers`")
            : settings;
    }

    internal static Uri? ParseListen(string text) =>
        ParseHttp(text) is { AbsolutePath: "/", Query: "", Fragment: "" } uri ? uri : null;

    // RFC 8414 §2: no query, no fragment. No path either: other tenants have their own place under this one.
    private static string? ParseIssuer(string text) =>
        ParseHttp(text) is { UserInfo: "" } uri
        && (uri.Scheme is "https" || uri.IsLoopback)
        && text == uri.GetLeftPart(UriPartial.Authority)
            ? text
            : null;

    private static DatabaseAddress? ParseDatabase(string text) =>
        DatabaseAddress.TryParse(text, out var address) ? address : null;

    internal static IReadOnlyList<IPNetwork> Networks(SettingsNode node, string key, string what) =>
        [.. node.List(key, what, "a network such as 10.0.0.0/8", ParseNetwork).Select(setting => setting.Network)];

    private static NetworkSetting? ParseNetwork(string text) =>
        IPNetwork.TryParse(text, out var network) ? new(network) : null;

    private static string? ExistingFile(string text) => File.Exists(text) ? text : null;

    internal static Uri? ParseHttp(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? uri : null;

    private sealed record NetworkSetting(IPNetwork Network);
}
