using System.Buffers.Binary;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Postern.Identity.Passwords;

/// <summary>
/// Hashes and checks passwords: PBKDF2 with SHA-512, the count OWASP names, by ASP.NET Core Identity's hasher. Slow by
/// intention, so only half of the processors do it at a time, and a crowd of guesses cannot starve the server.
/// </summary>
internal sealed class PasswordHashes : IDisposable
{
    private const int Iterations = 210_000, MostWaiting = 64;

    // A well-formed hash that nothing matches: an unknown address costs the same time as a wrong password.
    private static readonly string NobodysHash = Nobodys();

    private readonly PasswordHasher<object> hasher =
        new(Options.Create(new PasswordHasherOptions { IterationCount = Iterations }));

    private readonly ConcurrencyLimiter turns = new(new()
    {
        PermitLimit = Math.Max(1, Environment.ProcessorCount / 2),
        QueueLimit = MostWaiting,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <summary>
    /// Makes the hash of a new password. Whoever may set one has proven who they are: a crowd of guesses makes them
    /// wait, and does not turn them away.
    /// </summary>
    public async Task<string> MakeAsync(string password, CancellationToken stop)
    {
        using var turn = await turns.AcquireAsync(1, stop);
        return hasher.HashPassword(this, password);
    }

    /// <summary>
    /// Checks a password; with no hash it takes as long and says no. Null when too many wait already.
    /// </summary>
    public async Task<PasswordVerificationResult?> CheckAsync(string? hash, string password, CancellationToken stop)
    {
        using var turn = await turns.AcquireAsync(1, stop);
        return turn.IsAcquired ? hasher.VerifyHashedPassword(this, hash ?? NobodysHash, password) : null;
    }

    public void Dispose() => turns.Dispose();

    // The hasher's format 3: marker, function (2 is HMAC-SHA-512), iterations, length of the salt, salt, derived key.
    // Both are zeros, and nobody knows a password that derives a key of zeros.
    private static string Nobodys()
    {
        var bytes = new byte[1 + 12 + 16 + 32];
        bytes[0] = 1;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(1), 2);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(5), Iterations);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(9), 16);
        return Convert.ToBase64String(bytes);
    }
}
