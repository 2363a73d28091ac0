using System.Security.Cryptography;
using System.Text;

namespace Postern.AspNetCore.Revocations;

/// <summary>
/// What was answered about tokens that are references: which stand, until they end, and which do not, for a few
/// seconds. Each has a fixed number of places, and their own, so that nothing that strangers send displaces one that
/// stands. A place is found by a MAC under a key of this process: nobody chooses tokens that crowd into one, and the
/// tokens themselves are not here.
/// </summary>
/// <param name="places">How many of each are remembered: rounded up to a power of two.</param>
/// <param name="refusedFor">How long a token that does not stand is not asked about again.</param>
/// <param name="clock">Says when an answer has grown old.</param>
internal sealed class KnownReferences(int places, TimeSpan refusedFor, TimeProvider clock)
{
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private readonly Answer?[] standing = New(places), refused = New(places);

    /// <summary>How many answers are in memory.</summary>
    internal int Count => standing.Count(one => one is not null) + refused.Count(one => one is not null);

    /// <summary>By what a token is known here.</summary>
    public byte[] NameOf(string token) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(token));

    /// <summary>Whether it was answered a moment ago that the token stands for nothing.</summary>
    public bool IsRefused(byte[] name) => Find(refused, name) is not null;

    /// <summary>The claims of a token that stood when it was asked about, and has not expired.</summary>
    public byte[]? Claims(byte[] name) => Find(standing, name)?.Claims;

    public void Refuse(byte[] name)
    {
        if (Find(standing, name) is not null)
        {
            PlaceOf(standing, name) = null;
        }

        PlaceOf(refused, name) = new(name, null, clock.GetUtcNow() + refusedFor);
    }

    public void Keep(byte[] name, byte[] claims, DateTimeOffset expires) =>
        PlaceOf(standing, name) = new(name, claims, expires);

    private static Answer?[] New(int places) =>
        new Answer?[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)places)];

    private Answer? Find(Answer?[] answers, byte[] name) =>
        Volatile.Read(ref PlaceOf(answers, name)) is { } answer
        && answer.Name.AsSpan().SequenceEqual(name)
        && clock.GetUtcNow() < answer.Until
            ? answer
            : null;

    private static ref Answer? PlaceOf(Answer?[] answers, byte[] name) =>
        ref answers[BitConverter.ToUInt32(name) & (uint)(answers.Length - 1)];

    private sealed record Answer(byte[] Name, byte[]? Claims, DateTimeOffset Until);
}
