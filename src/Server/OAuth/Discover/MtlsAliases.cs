namespace Postern.OAuth.Discover;

/// <summary>
/// RFC 8705 §5: where a client proves something, at the address that asks for its certificate. The rest is where
/// everybody is.
/// </summary>
internal sealed record MtlsAliases
{
    public required string TokenEndpoint { get; init; }

    public required string RevocationEndpoint { get; init; }

    public required string IntrospectionEndpoint { get; init; }

    public required string PushedAuthorizationRequestEndpoint { get; init; }

    public required string? DeviceAuthorizationEndpoint { get; init; }

    public required string BackchannelAuthenticationEndpoint { get; init; }

    public required string UserinfoEndpoint { get; init; }

    /// <param name="address">What stands for the issuer there.</param>
    /// <param name="hasDevices">Devices may ask.</param>
    public static MtlsAliases At(string address, bool hasDevices) => new()
    {
        TokenEndpoint = address + "/token",
        RevocationEndpoint = address + "/revoke",
        IntrospectionEndpoint = address + "/introspect",
        PushedAuthorizationRequestEndpoint = address + "/par",
        DeviceAuthorizationEndpoint = hasDevices ? address + "/device_authorization" : null,
        BackchannelAuthenticationEndpoint = address + "/bc-authorize",
        UserinfoEndpoint = address + "/userinfo",
    };
}
