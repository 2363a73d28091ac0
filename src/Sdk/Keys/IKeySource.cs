namespace Postern.AspNetCore.Keys;

/// <summary>
/// Where the public keys of one issuer come from: <see cref="LocalKeys"/> or <see cref="RemoteKeys"/>.
/// </summary>
public interface IKeySource
{
    /// <summary>
    /// The keys to verify with now; null when they must be waited for. The same object means the same keys: tokens
    /// verified with another set are verified again.
    /// </summary>
    KeySet? Current { get; }

    /// <summary>
    /// The keys after this <c>kid</c> has been looked for. It may still be missing; null when there are no keys to be
    /// had. The name comes from a stranger: an implementation limits how often it makes any effort for one.
    /// </summary>
    ValueTask<KeySet?> FindAsync(string keyId, CancellationToken stop);
}
