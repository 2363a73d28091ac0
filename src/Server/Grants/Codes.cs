using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Postern.Platform.Keys;

namespace Postern.Grants;

/// <summary>
/// Authorization codes (RFC 6749 §4.1.2). A code is sealed, not stored: it carries the grant and digests of everything
/// it is bound to, so all checks happen before the one write that consumes it.
/// </summary>
internal sealed class Codes(Sealer sealer, TimeProvider clock)
{
    /// <summary>RFC 6749 §4.1.2 recommends ten minutes at most; FAPI 2.0 allows one.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    private const string Prefix = "pac_", Purpose = "code";
    private const int Digest = 32, GuidSize = 16, Fixed = GuidSize + 8 + (4 * Digest);

    /// <param name="tenant">Where it is good.</param>
    /// <param name="grant">The grant it opens.</param>
    /// <param name="client">Who may redeem it.</param>
    /// <param name="redirectUri">Where it is sent.</param>
    /// <param name="challenge">What the verifier must make (RFC 7636 §4.2).</param>
    /// <param name="binding">What must be held by whoever redeems it (RFC 9449 §10); null for nothing.</param>
    /// <param name="nonce">What the ID token must repeat (OpenID Connect Core §3.1.2.1).</param>
    /// <param name="repeat">What the grant is made of when the code is redeemed; null when it is there.</param>
    public string Make(
        TenantId tenant,
        GrantId grant,
        ClientId client,
        string redirectUri,
        string challenge,
        string? binding = null,
        string? nonce = null,
        Repeat? repeat = null)
    {
        // A nonce has one line: it is printable ASCII.
        var tail = repeat is null ? nonce ?? "" : $"{nonce}\n{repeat.ToJson()}";
        Span<byte> bytes = new byte[Fixed + Encoding.UTF8.GetByteCount(tail)];
        Guid.ParseExact(grant.Value.AsSpan(GrantId.Prefix.Length), "N").TryWriteBytes(bytes);
        var ends = clock.GetUtcNow().Add(Lifetime);
        BinaryPrimitives.WriteInt64BigEndian(bytes[GuidSize..], ends.ToUnixTimeMilliseconds());
        SHA256.HashData(Encoding.UTF8.GetBytes(client.Value), bytes[(GuidSize + 8)..]);
        SHA256.HashData(Encoding.UTF8.GetBytes(redirectUri), bytes[(GuidSize + 8 + Digest)..]);
        SHA256.HashData(Encoding.UTF8.GetBytes(challenge), bytes[(GuidSize + 8 + (2 * Digest))..]);
        SHA256.HashData(Encoding.UTF8.GetBytes(binding ?? ""), bytes[(GuidSize + 8 + (3 * Digest))..]);
        Encoding.UTF8.GetBytes(tail, bytes[Fixed..]);
        return Prefix + sealer.Seal(tenant, Purpose, bytes);
    }

    /// <summary>Opens a code that this tenant made and that has not expired; null for anything else.</summary>
    public Code? Open(TenantId tenant, string text)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (!text.StartsWith(Prefix, StringComparison.Ordinal)
            || sealer.Open(tenant, Purpose, text.AsSpan(Prefix.Length)) is not { Length: >= Fixed } bytes
            || BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(GuidSize)) <= now)
        {
            return null;
        }

        return new(new(GrantId.Prefix + new Guid(bytes.AsSpan(0, GuidSize)).ToString("N")), bytes[(GuidSize + 8)..]);
    }

    /// <summary>What a code is bound to.</summary>
    internal sealed class Code(GrantId grant, byte[] digests)
    {
        public GrantId Grant => grant;

        private readonly string[] tail = Encoding.UTF8.GetString(digests.AsSpan(4 * Digest)).Split('\n', 2);

        /// <summary>What the ID token must repeat; null for nothing.</summary>
        public string? Nonce => tail[0] is { Length: > 0 } nonce ? nonce : null;

        /// <summary>What the grant is made of; null when it was made already.</summary>
        public Repeat? Repeat => tail is [_, var json] ? Grants.Repeat.Of(json) : null;

        public bool IsFor(ClientId client) => Is(client.Value, 0);

        public bool WasSentTo(string redirectUri) => Is(redirectUri, 1);

        /// <summary>RFC 7636 §4.6, S256: the digest of the verifier is the challenge.</summary>
        public bool IsProvenBy(string verifier) =>
            Is(System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))), 2);

        /// <summary>
        /// RFC 9449 §10: one that is bound to a key is good with that key alone. So is one that is bound to a copy of
        /// the client, or to a certificate; or to two of them.
        /// </summary>
        public bool IsHeldBy(IReadOnlyList<string> held) =>
            Is("", 3) || held.Any(one => Is(one, 3)) || Is(string.Join(' ', held), 3);

        private bool Is(string value, int index) => CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(value)), digests.AsSpan(index * Digest, Digest));
    }
}
