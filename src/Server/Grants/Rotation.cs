namespace Postern.Grants;

/// <summary>Who presents a one-time token, as far as that can be told.</summary>
/// <param name="Network">Where from; the same one means the same client, for a moment.</param>
/// <param name="Holder">The key that was proven with it.</param>
/// <param name="MayChangeKeys">It is known by more than its key.</param>
/// <param name="Asked">A digest of what is asked for with it.</param>
internal sealed record Hand(string Network, Holder? Holder, bool MayChangeKeys, string Asked = "")
{
    /// <summary>It has proven something that a thief of the token lacks.</summary>
    public bool IsProven => MayChangeKeys || Holder is not null;

    /// <summary>The key as it is stored; empty for none.</summary>
    public string Key => Holder?.ToString() ?? "";

    /// <summary>Whether it may present what is bound to this key.</summary>
    public bool Holds(string key) => MayChangeKeys || key is "" || key == Key;
}

/// <summary>What came of presenting a one-time token.</summary>
internal abstract record Rotation
{
    private Rotation()
    {
    }

    /// <summary>The line stands at this generation, since then, and it is the caller's to have.</summary>
    public sealed record Moved(long Generation, DateTimeOffset At) : Rotation;

    /// <summary>It rested too long, or its grant ended in the meantime.</summary>
    public sealed record Expired : Rotation;

    /// <summary>It is bound to a key that was not proven. Nothing was consumed.</summary>
    public sealed record Foreign : Rotation;

    /// <summary>It was used before; the grant is over now.</summary>
    public sealed record Reused : Rotation;
}
