using System.Net;
using Postern.Platform.Database;

namespace Postern.Platform.Configuration;

/// <summary>What an operator decides. All of it is checked before the first request is served.</summary>
internal sealed record Settings
{
    /// <summary>The server that is offered where nothing is said.</summary>
    public const string DemoServer = "notes";

    /// <summary>The file these came from; the usual name when there is none.</summary>
    public required string File { get; init; }

    /// <summary>How the outside reaches us: the issuer, byte for byte as clients compare it (RFC 8414 §3.3).</summary>
    public required string Issuer { get; init; }

    public required Uri Listen { get; init; }

    /// <summary>How the server ends TLS itself; null where a proxy does, or nobody.</summary>
    public required TlsSeed? Tls { get; init; }

    public required MutualTlsSeed MutualTls { get; init; }

    /// <summary>Clients can show certificates, to us or to a proxy that is believed.</summary>
    public bool TakesCertificates => Tls is { AsksClients: true } || MutualTls.Proxies.Count > 0;

    public required DatabaseAddress Database { get; init; }

    /// <summary>The folder of the master key and of what hosted servers write.</summary>
    public required string Data { get; init; }

    public required IReadOnlyList<IPNetwork> OutboundAllow { get; init; }

    /// <summary>PEM files with further certificate authorities.</summary>
    public required IReadOnlyList<string> OutboundTrust { get; init; }

    public required bool DynamicRegistration { get; init; }

    public required bool MetadataDocuments { get; init; }

    /// <summary>Programs without a browser may ask a person by a code (RFC 8628).</summary>
    public required bool DeviceFlow { get; init; }

    /// <summary>Every client pushes its requests (RFC 9126 §5).</summary>
    public required bool RequiresPush { get; init; }

    /// <summary>Calls of reading tools may go before their entry is durable.</summary>
    public required bool AuditIsRelaxed { get; init; }

    public required TimeSpan AccessLifetime { get; init; }

    public required TimeSpan RefreshIdle { get; init; }

    public required TimeSpan RefreshAbsolute { get; init; }

    /// <summary>The server that is meant when a client names no <c>resource</c>; null for none.</summary>
    public required string? DefaultServer { get; init; }

    /// <summary>
    /// Proxies whose forwarding headers are believed for the address of the caller, and for nothing else.
    /// </summary>
    public required IReadOnlyList<IPNetwork> Proxies { get; init; }

    /// <summary>
    /// Where telemetry goes (OTLP, over gRPC on port 4317 and over HTTP on others); null for nowhere.
    /// </summary>
    public required Uri? Otlp { get; init; }

    /// <summary>One JSON object a line, for programs that collect logs.</summary>
    public required bool LogsAreJson { get; init; }

    public required TimeSpan DpopWindow { get; init; }

    public required bool DpopRequiresNonce { get; init; }

    public required int DpopRemembered { get; init; }

    /// <summary>Whether the server <c>notes</c> is offered.</summary>
    public required bool Demo { get; init; }

    public required IReadOnlyList<UserSeed> Users { get; init; }

    public required IReadOnlyList<ClientSeed> Clients { get; init; }

    public required IReadOnlyList<ServerSeed> Servers { get; init; }

    /// <summary>Trust domains whose workloads prove themselves here.</summary>
    public required IReadOnlyList<SpiffeSeed> Spiffe { get; init; }

    public required IReadOnlyList<OrganizationSeed> Organizations { get; init; }

    public required IReadOnlyList<AgentSeed> Agents { get; init; }

    /// <summary>Those whose assertions are grants here.</summary>
    public required IReadOnlyList<TrustedIssuerSeed> TrustedIssuers { get; init; }

    /// <summary>Those who say which copies of clients are genuine.</summary>
    public required IReadOnlyList<TrustedAttesterSeed> TrustedAttesters { get; init; }

    /// <summary>The audience of transaction tokens; null when there are none.</summary>
    public required string? TrustDomain { get; init; }

    /// <summary>Those elsewhere who take our word for our people.</summary>
    public required IReadOnlyList<AssertionAudienceSeed> AssertsTo { get; init; }

    public bool IsHttps => Issuer.StartsWith("https://", StringComparison.Ordinal);

    /// <summary>Host and port of the issuer as a Host header names them.</summary>
    public string Authority => new Uri(Issuer).Authority;

    /// <summary>An absolute address of ours; never built from what a request says.</summary>
    public string Address(string path) => Issuer + path;

    /// <summary>Whether a server of this name is offered.</summary>
    public bool Names(string server) =>
        (Demo && server is DemoServer) || Servers.Any(seed => seed.Name == server);
}
