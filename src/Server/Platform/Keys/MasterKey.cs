using System.Security.Cryptography;
using Postern.Platform.Database;

namespace Postern.Platform.Keys;

/// <summary>
/// The key over all keys, outside the database: from <c>POSTERN_MASTER_KEY</c>, or from a file that only its owner may
/// read, made on the first start. Every sealed value names its key, so an old one can stay for reading while a new one
/// seals: one key a line, <c>id:base64url</c>, the first seals.
/// </summary>
internal sealed class MasterKey
{
    private const int Size = 32;

    private MasterKey(IReadOnlyDictionary<string, byte[]> keys, string current) => (Keys, CurrentId) = (keys, current);

    public IReadOnlyDictionary<string, byte[]> Keys { get; }

    /// <summary>The identifier of the key that seals, eight characters.</summary>
    public string CurrentId { get; }

    /// <summary>Reads the key, making the file where there is neither file nor variable.</summary>
    /// <exception cref="SetupException">The key cannot be read, or others could read it.</exception>
    public static MasterKey Load(string? variable, string folder, RandomNumberGenerator random)
    {
        if (variable is { Length: > 0 })
        {
            return Parse(variable, "POSTERN_MASTER_KEY");
        }

        var path = Path.Combine(folder, "master.key");
        return Parse(PrivateFile.Read(path, () => New(random)), path);
    }

    /// <summary>Refuses to go on with a database that was sealed with another key.</summary>
    public async Task ProveAsync(Db db, Sealer sealer, TimeProvider clock)
    {
        var proof = Convert.ToHexStringLower(sealer.Proof());
        var known = await db.WriteAsync(unit => KnownAsync(db, unit, proof, clock));
        if (known.Find(row => row.Id == CurrentId) is { } row && row.Value != proof)
        {
            throw new SetupException(
                $"The database was sealed with another master key that is also called {CurrentId}.");
        }

        if (known.Count > 0 && !known.Exists(row => Keys.ContainsKey(row.Id)))
        {
            throw new SetupException(
                $"The database was sealed with master key {known[0].Id}, and this node has {CurrentId}. "
                + "Give it the same master.key file or POSTERN_MASTER_KEY as the other nodes.");
        }
    }

    // What was known before; ours is added to it when it may be. Under a lock: of two first starts with different keys
    // the second must see the first.
    private async ValueTask<List<Proof>> KnownAsync(Db db, Unit unit, string proof, TimeProvider clock)
    {
        if (db.Engine.MigrationLock is { } alone)
        {
            await unit.RunTextAsync(alone);
        }

        var known = await unit.AllAsync(
            $"select key_id, proof from master_keys", row => new Proof(row.GetString(0), row.GetString(1)));
        if (known.Count is 0 || known.Exists(row => Keys.ContainsKey(row.Id)))
        {
            await unit.RunAsync(
                $"""
                insert into master_keys (key_id, proof, created_at)
                values ({CurrentId}, {proof}, {clock.GetUtcNow().ToUnixTimeSeconds()}) on conflict do nothing
                """);
        }

        return known;
    }

    private static string New(RandomNumberGenerator random) =>
        $"{Convert.ToHexStringLower(random.Bytes(4))}:{Base64Url(random.Bytes(Size))}";

    private static MasterKey Parse(string text, string source)
    {
        var keys = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        string? current = null;
        const StringSplitOptions plain = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        foreach (var line in text.Split(['\n', ','], plain))
        {
            var parts = line.Split(':');
            if (parts is not [{ Length: 8 } id, var value]
                || Bytes(value) is not { Length: Size } key
                || !keys.TryAdd(id, key))
            {
                throw new SetupException(
                    $"{source} must hold lines of eight characters, a colon and 32 bytes in base64url.");
            }

            current ??= id;
        }

        return current is null ? throw new SetupException($"{source} holds no key.") : new(keys, current);
    }

    private static string Base64Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static byte[]? Bytes(string text) =>
        System.Buffers.Text.Base64Url.IsValid(text) ? System.Buffers.Text.Base64Url.DecodeFromChars(text) : null;

    private sealed record Proof(string Id, string Value);
}
