namespace Postern.AspNetCore.Keys;

/// <summary>
/// The signatures that are taken (RFC 7518 §3.1). No message can ask for another: not none, nothing symmetric.
/// </summary>
public enum SignatureAlgorithm
{
    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    ES256,

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-256.</summary>
    RS256,

    /// <summary>RSASSA-PSS with SHA-256.</summary>
    PS256,
}

internal static class SignatureAlgorithms
{
    public static SignatureAlgorithm? Parse(string? name) => name switch
    {
        "ES256" => SignatureAlgorithm.ES256,
        "RS256" => SignatureAlgorithm.RS256,
        "PS256" => SignatureAlgorithm.PS256,
        _ => null,
    };
}
