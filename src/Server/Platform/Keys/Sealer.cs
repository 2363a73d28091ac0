using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Platform.Keys;

/// <summary>
/// Seals values that leave this process or rest in the database (AES-256-GCM), each under a key of its tenant and of
/// its purpose, so that a value made for one use, or at one tenant, opens for no other. Form: version, key id, nonce,
/// ciphertext, tag; base64url.
/// </summary>
internal sealed class Sealer(MasterKey master, RandomNumberGenerator random)
{
    private const byte Version = 1;

    // Longer texts are nobody's of ours.
    private const int MostText = 32 * 1024;

    private const int IdSize = 8, NonceSize = 12, TagSize = 16, HeaderSize = 1 + IdSize + NonceSize;

    // As many as there are purposes in the program, times the master keys and the tenants.
    private readonly ConcurrentDictionary<(string Id, TenantId Tenant, string Purpose), byte[]> derived = new();

    /// <summary>
    /// Seals bytes for one purpose at one tenant; <paramref name="context"/> must be given again to open them.
    /// </summary>
    public string Seal(
        TenantId tenant, string purpose, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context = default) =>
        Base64Url.EncodeToString(SealBytes(tenant, purpose, plain, context));

    /// <inheritdoc cref="Seal"/>
    public byte[] SealBytes(
        TenantId tenant, string purpose, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context = default)
    {
        var sealed_ = new byte[HeaderSize + plain.Length + TagSize];
        sealed_[0] = Version;
        Encoding.ASCII.GetBytes(master.CurrentId, sealed_.AsSpan(1, IdSize));
        var nonce = sealed_.AsSpan(1 + IdSize, NonceSize);
        random.GetBytes(nonce);
        using var aes = new AesGcm(Key(master.CurrentId, tenant, purpose), TagSize);
        aes.Encrypt(nonce, plain, sealed_.AsSpan(HeaderSize, plain.Length), sealed_.AsSpan(^TagSize..), context);
        return sealed_;
    }

    /// <summary>
    /// Opens what <see cref="Seal"/> made for the same tenant, purpose and context; null for everything else.
    /// </summary>
    public byte[]? Open(
        TenantId tenant, string purpose, ReadOnlySpan<char> text, ReadOnlySpan<byte> context = default)
    {
        if (text.Length is 0 or > MostText || text.Contains('='))
        {
            return null;
        }

        // No second spelling of one value: the decoder passes over blanks, which the length tells, and refuses loose
        // bits.
        var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        var status = Base64Url.DecodeFromChars(text, bytes, out var consumed, out var written);
        if (status is not System.Buffers.OperationStatus.Done
            || consumed != text.Length
            || Base64Url.GetEncodedLength(written) != text.Length)
        {
            return null;
        }

        return OpenBytes(tenant, purpose, bytes.AsSpan(0, written), context);
    }

    /// <inheritdoc cref="Open"/>
    public byte[]? OpenBytes(
        TenantId tenant, string purpose, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> context = default)
    {
        if (bytes.Length < HeaderSize + TagSize || bytes[0] is not Version)
        {
            return null;
        }

        var id = Encoding.ASCII.GetString(bytes.Slice(1, IdSize));
        if (!master.Keys.ContainsKey(id))
        {
            return null;
        }

        var plain = new byte[bytes.Length - HeaderSize - TagSize];
        using var aes = new AesGcm(Key(id, tenant, purpose), TagSize);
        try
        {
            aes.Decrypt(
                bytes.Slice(1 + IdSize, NonceSize),
                bytes[HeaderSize..^TagSize],
                bytes[^TagSize..],
                plain,
                context);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    /// <summary>A keyed digest (HMAC-SHA-256) under a key of its tenant and purpose, 32 bytes.</summary>
    public byte[] Mac(TenantId tenant, string purpose, ReadOnlySpan<byte> data) =>
        HMACSHA256.HashData(Key(master.CurrentId, tenant, "mac:" + purpose), data);

    /// <summary>Whether a digest was made by any of the master keys this node holds, in fixed time for each.</summary>
    public bool IsMac(TenantId tenant, string purpose, ReadOnlySpan<byte> data, ReadOnlySpan<byte> mac)
    {
        var found = false;
        Span<byte> made = stackalloc byte[HMACSHA256.HashSizeInBytes];
        foreach (var id in master.Keys.Keys)
        {
            HMACSHA256.HashData(Key(id, tenant, "mac:" + purpose), data, made);
            found |= CryptographicOperations.FixedTimeEquals(made, mac);
        }

        return found;
    }

    /// <summary>Shows that this node has the master key, without showing the key.</summary>
    public byte[] Proof() => Mac(TenantId.Default, "master-key", "proof"u8);

    /// <summary>A key that all nodes have, for what no tenant keeps from another.</summary>
    public byte[] Shared(string purpose) => Mac(TenantId.Default, purpose, "shared"u8);

    /// <summary>Forgets the keys of a tenant that is gone.</summary>
    public void Forget(TenantId tenant)
    {
        foreach (var name in derived.Keys.Where(name => name.Tenant == tenant))
        {
            derived.TryRemove(name, out _);
        }
    }

    private byte[] Key(string id, TenantId tenant, string purpose) => derived.GetOrAdd(
        (id, tenant, purpose),
        static (name, keys) => HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            keys[name.Id],
            32,
            info: Encoding.UTF8.GetBytes(Label(name.Tenant, name.Purpose))),
        master.Keys);

    // The tenant at the root has the labels from before there were others. No purpose has a slash in it.
    private static string Label(TenantId tenant, string purpose) =>
        tenant == TenantId.Default ? $"postern/1/{purpose}" : $"postern/1/{tenant}/{purpose}";
}
