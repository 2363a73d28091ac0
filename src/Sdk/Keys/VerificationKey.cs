using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Postern.AspNetCore.Keys;

/// <summary>One public key of an issuer, bound to the algorithms it may verify. Safe for use by many threads.</summary>
public abstract class VerificationKey
{
    private VerificationKey(string id) => Id = id;

    /// <summary>The <c>kid</c> (RFC 7517 §4.5), a key of a dictionary and nothing more.</summary>
    public string Id { get; }

    /// <summary>A key for ES256.</summary>
    /// <param name="id">The <c>kid</c> that tokens name.</param>
    /// <param name="key">A point on P-256. A private part is ignored.</param>
    /// <exception cref="ArgumentException">The curve is another, or the point is not on it.</exception>
    public static VerificationKey FromEcdsa(string id, ECParameters key)
    {
        var isP256 = key.Curve.IsNamed && key.Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value;
        return Checked(isP256, () => new Ecdsa(id, new() { Curve = key.Curve, Q = key.Q }));
    }

    /// <summary>A key for RS256 and PS256, or for one of them.</summary>
    /// <param name="id">The <c>kid</c> that tokens name.</param>
    /// <param name="key">A modulus of 2048 to 4096 bits and its exponent. A private part is ignored.</param>
    /// <param name="only">The one algorithm the key is for; null for both.</param>
    /// <exception cref="ArgumentException">The modulus is too short or too long, or the key is malformed.</exception>
    public static VerificationKey FromRsa(string id, RSAParameters key, SignatureAlgorithm? only = null)
    {
        // A long modulus or exponent would let one key set slow down every verification.
        var isUsual = key is { Modulus.Length: >= 256 and <= 512, Exponent.Length: >= 1 and <= 4 }
            && only is not SignatureAlgorithm.ES256;
        return Checked(isUsual, () => new Rsa(id, new() { Modulus = key.Modulus, Exponent = key.Exponent }, only));
    }

    internal abstract bool Verifies(
        SignatureAlgorithm algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature);

    private static VerificationKey Checked(bool isTaken, Func<VerificationKey> key)
    {
        try
        {
            return isTaken
                ? key()
                : throw new ArgumentException("Expected P-256, or RSA of 2048 to 4096 bits.", nameof(key));
        }
        catch (CryptographicException e)
        {
            throw new ArgumentException("The key is malformed.", nameof(key), e);
        }
    }

    // ECDSA and RSA objects are not documented as safe for many threads at once, and dear to make.
    private sealed class Pool<T>
        where T : AsymmetricAlgorithm
    {
        private readonly ConcurrentBag<T> idle = [];
        private readonly Func<T> make;

        // Makes the first at once, so that a bad key is found when it is handed in.
        public Pool(Func<T> make)
        {
            this.make = make;
            idle.Add(make());
        }

        public T Rent() => idle.TryTake(out var key) ? key : make();

        public void Return(T key) => idle.Add(key);
    }

    private sealed class Ecdsa(string id, ECParameters parameters) : VerificationKey(id)
    {
        private readonly Pool<ECDsa> pool = new(() => ECDsa.Create(parameters));

        internal override bool Verifies(
            SignatureAlgorithm algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
        {
            // RFC 7518 §3.4: r and s, 32 bytes each; DER is refused.
            if (algorithm is not SignatureAlgorithm.ES256 || signature.Length is not 64)
            {
                return false;
            }

            var key = pool.Rent();
            try
            {
                return key.VerifyData(signed, signature, HashAlgorithmName.SHA256);
            }
            finally
            {
                pool.Return(key);
            }
        }
    }

    private sealed class Rsa(string id, RSAParameters parameters, SignatureAlgorithm? only) : VerificationKey(id)
    {
        private readonly Pool<RSA> pool = new(() => RSA.Create(parameters));

        internal override bool Verifies(
            SignatureAlgorithm algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
        {
            if (algorithm is SignatureAlgorithm.ES256 || (only ?? algorithm) != algorithm
                || signature.Length != parameters.Modulus!.Length)
            {
                return false;
            }

            var key = pool.Rent();
            try
            {
                return key.VerifyData(signed, signature, HashAlgorithmName.SHA256, PaddingOf(algorithm));
            }
            finally
            {
                pool.Return(key);
            }
        }

        private static RSASignaturePadding PaddingOf(SignatureAlgorithm algorithm) => algorithm switch
        {
            SignatureAlgorithm.RS256 => RSASignaturePadding.Pkcs1,
            SignatureAlgorithm.PS256 => RSASignaturePadding.Pss,
            _ => throw new UnreachableException(),
        };
    }
}
