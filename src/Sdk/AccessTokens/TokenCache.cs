using System.Numerics;
using System.Text;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.AccessTokens;

/// <summary>
/// Tokens whose signature was verified, so that it is verified once. A fixed number of places, found without a lock; an
/// entry counts only for the key set that verified it, so the tokens of a withdrawn key end with the set.
/// </summary>
/// <param name="capacity">At least 4; rounded up to a power of two.</param>
internal sealed class TokenCache(int capacity)
{
    private const int Ways = 4;

    // The end of a token is the end of its signature, which nobody but the issuer chooses.
    private const int HashedLength = 43;

    private readonly Entry?[] entries = new Entry?[(int)BitOperations.RoundUpToPowerOf2((uint)capacity)];

    /// <summary>Seeded per process: nobody outside can choose tokens that crowd into one set.</summary>
    public static int HashOf(ReadOnlySpan<char> text) =>
        string.GetHashCode(
            text.Length > HashedLength ? text[^HashedLength..] : text, StringComparison.Ordinal);

    public AccessToken? Find(ReadOnlySpan<char> text, int hash, KeySet keys)
    {
        foreach (var entry in SetOf(hash))
        {
            // The hash only says where to look. What is found is the same token to the last character.
            if (entry is not null && ReferenceEquals(entry.Keys, keys) && Ascii.Equals(entry.Text, text))
            {
                return entry.Token;
            }
        }

        return null;
    }

    /// <summary>Takes a free place, or that of a past key set, or that of the token which ends soonest.</summary>
    public void Add(byte[] text, int hash, KeySet keys, AccessToken token)
    {
        var set = SetOf(hash);
        var victim = 0;
        for (var way = 0; way < Ways; way++)
        {
            if (Rank(set[way], keys) < Rank(set[victim], keys))
            {
                victim = way;
            }
        }

        // Two threads may pick the same place: one entry is lost, and its token verified once more.
        Volatile.Write(ref set[victim], new(text, keys, token));
    }

    private static DateTimeOffset Rank(Entry? entry, KeySet keys) =>
        entry is null || !ReferenceEquals(entry.Keys, keys) ? DateTimeOffset.MinValue : entry.Token.ExpiresAt;

    private Span<Entry?> SetOf(int hash) => entries.AsSpan(hash & (entries.Length - 1) & ~(Ways - 1), Ways);

    private sealed record Entry(byte[] Text, KeySet Keys, AccessToken Token);
}
