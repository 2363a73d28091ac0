namespace Postern.AspNetCore.Keys;

/// <summary>
/// Keys that this process holds and hands in, for a resource that lives beside its authorization server.
/// </summary>
public sealed class LocalKeys(KeySet keys) : IKeySource
{
    private volatile KeySet keys = keys;

    /// <inheritdoc/>
    public KeySet Current => keys;

    /// <summary>Puts a new set in place. Tokens of keys that are not in it are refused from now on.</summary>
    public void Replace(KeySet keys) => this.keys = keys;

    /// <inheritdoc/>
    public ValueTask<KeySet?> FindAsync(string keyId, CancellationToken stop) => new(keys);
}
