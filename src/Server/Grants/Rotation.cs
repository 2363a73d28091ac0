namespace Postern.Grants;

/// <summary>Who presents a one-time token, as far as that can be told.</summary>
/// <param name="Network">Where from; the same one means the same client, for a moment.</param>
/// <param name="Holder">The key that was proven with it.</param>
/// <param name="IsKnownOtherwise">It is known by more than its key.</param>
/// <param name="Asked">A digest of what is asked for with it.</param>
internal sealed record Hand(string Network, Holder? Holder, bool IsKnownOtherwise, string Asked = "")
{
    /// <summary>
    /// What its access token is to be called where its refresh token stays, which is then good again and again with its
    /// key; null for one that proves nothing beside its key, and has a new refresh token at each use.
    /// </summary>
    public string? KeptAs { get; init; }

    /// <summary>The key of the copy of the client, as it is stored; empty where no attester vouches for one.</summary>
    public string Instance { get; init; } = "";

    /// <summary>It has proven something that a thief of the token lacks.</summary>
    public bool IsProven => IsKnownOtherwise || Holder is not null || Instance is not "";

    /// <summary>The key as it is stored; empty for none.</summary>
    public string Key => Holder?.ToString() ?? "";

    /// <summary>Another key may take the place of the one there is; no key may not.</summary>
    public bool MayReplaceKey => IsKnownOtherwise && Key is not "";

    /// <summary>Whether it may present what is bound to this key and this copy. A copy has one key for good.</summary>
    public bool Holds(string key, string instance) =>
        (MayReplaceKey || key is "" || key == Key) && (instance is "" || instance == Instance);
}

/// <summary>What came of presenting a one-time token.</summary>
internal abstract record Rotation
{
    private Rotation()
    {
    }

    /// <summary>
    /// The line stands at this generation, since then, and it is the caller's to have. It rests until
    /// <paramref name="IdleUntil"/> at the longest, in Unix seconds.
    /// </summary>
    public sealed record Moved(long Generation, DateTimeOffset At, long IdleUntil) : Rotation
    {
        /// <summary>It stayed where it was.</summary>
        public bool IsKept { get; init; }
    }

    /// <summary>It rested too long, or its grant ended in the meantime.</summary>
    public sealed record Expired : Rotation;

    /// <summary>It is bound to a key that was not proven. Nothing was consumed.</summary>
    public sealed record Foreign : Rotation;

    /// <summary>It was used before; the grant is over now.</summary>
    public sealed record Reused : Rotation;
}
