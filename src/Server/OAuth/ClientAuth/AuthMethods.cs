using Postern.Platform.Configuration;
using Postern.Platform.Tenants;

namespace Postern.OAuth.ClientAuth;

/// <summary>The ways in which clients may prove themselves at this server, as it is set up.</summary>
internal sealed class AuthMethods(Settings settings, TenantBook tenants, Attesters attesters)
{
    /// <summary>What a client may register; strongest first, those by certificate where one can be shown.</summary>
    public IReadOnlyList<string> All { get; } = Of(settings);

    /// <summary>
    /// What is served at a tenant: workloads are clients of the configuration, which is the root's. Attesters are named
    /// there too, and know clients that are their documents everywhere.
    /// </summary>
    public IReadOnlyList<string> At(TenantId tenant) =>
    [
        .. All,
        .. tenant == tenants.Default.Id ? ForWorkloads(settings) : [],
        .. attesters.Any(tenant) ? ClientMetadata.AttestedMethods : [],
    ];

    /// <summary>Of workloads, where an operator named their trust domains.</summary>
    public static IReadOnlyList<string> ForWorkloads(Settings settings) =>
    [
        .. settings.Spiffe.Count > 0 ? (string[])[ClientMetadata.SpiffeJwt] : [],
        .. settings is { Spiffe.Count: > 0, TakesCertificates: true } ? (string[])[ClientMetadata.SpiffeX509] : [],
    ];

    /// <summary>Whether a certificate can be shown at all.</summary>
    public bool TakeCertificates => settings.TakesCertificates;

    public static IReadOnlyList<string> Of(Settings settings) =>
    [
        ClientMetadata.PrivateKeyJwt,
        .. settings is { TakesCertificates: true, MutualTls.Authorities.Count: > 0 }
            ? (string[])[ClientMetadata.TlsClientAuth]
            : [],
        .. settings.TakesCertificates ? (string[])[ClientMetadata.SelfSignedTlsClientAuth] : [],
        .. ClientMetadata.AuthMethods.Where(method => method is not ClientMetadata.PrivateKeyJwt),
    ];
}
