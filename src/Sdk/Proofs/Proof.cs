using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Proofs;

/// <summary>
/// A DPoP proof (RFC 9449 §4) that is good for one request, and was good for the first time. Only <see
/// cref="ProofValidator"/> makes one.
/// </summary>
public sealed record Proof : TokenOutcome
{
    internal Proof(string thumbprint, SignatureAlgorithm algorithm, string? nextNonce) =>
        (Thumbprint, Algorithm, NextNonce) = (thumbprint, algorithm, nextNonce);

    /// <summary>The key that made it, as <c>jkt</c> names it: SHA-256 of the key (RFC 7638).</summary>
    public string Thumbprint { get; }

    /// <summary>By what it is signed.</summary>
    public SignatureAlgorithm Algorithm { get; }

    /// <summary>
    /// What the answer should say in <c>DPoP-Nonce</c>, because the nonce of this proof ends soon; else null (§8.2).
    /// </summary>
    public string? NextNonce { get; }
}

/// <summary>What a proof has to be for.</summary>
/// <param name="Method"><c>htm</c>: the method of the request.</param>
/// <param name="Url"><c>htu</c>: where clients send the request, never built from what it says itself.</param>
public sealed record ProofTarget(string Method, string Url)
{
    /// <summary>The token that comes with it, whose digest <c>ath</c> must be; empty where there is none.</summary>
    public ReadOnlyMemory<char> AccessToken { get; init; }

    /// <summary>The key that must have made it; null where any may.</summary>
    public string? Thumbprint { get; init; }

    /// <summary>It must carry a nonce, also where others need not (§8).</summary>
    public bool RequiresNonce { get; init; }
}

/// <summary>The first use of a proof, as those who must not take it again know it.</summary>
/// <param name="Name">A digest of key, identifier and address; no two proofs share one.</param>
/// <param name="Until">From when on the proof is refused for its age anyway.</param>
public sealed record ProofUse(string Name, DateTimeOffset Until);
