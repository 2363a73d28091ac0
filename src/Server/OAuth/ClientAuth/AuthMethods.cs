using Postern.Platform.Configuration;

namespace Postern.OAuth.ClientAuth;

/// <summary>The ways in which clients may prove themselves at this server, as it is set up.</summary>
internal sealed class AuthMethods(Settings settings)
{
    /// <summary>Strongest first; those by certificate where one can be shown.</summary>
    public IReadOnlyList<string> All { get; } = Of(settings);

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
