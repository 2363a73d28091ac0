using Postern.Audit;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>A one-time token that is presented, and what is to come of it when it is good.</summary>
/// <param name="Grant">The grant, alive as far as this node knows.</param>
/// <param name="Generation">The generation presented.</param>
/// <param name="Hand">Who presents it.</param>
/// <param name="Idle">How long the next generation may rest.</param>
/// <param name="Entry">The entry of a token issued.</param>
internal sealed record Presented(Grant Grant, long Generation, Hand Hand, TimeSpan Idle, AuditEntry Entry)
{
    /// <summary>The holder of a code comes for its answer again and again.</summary>
    public bool IsPolled { get; init; }

    /// <summary>Makes the grant, where it begins with its code.</summary>
    public Func<Unit, ValueTask>? Begin { get; init; }

    /// <summary>Writes what the tokens leave that this caller is to have.</summary>
    public Func<Unit, Rotation.Moved, ValueTask>? Keep { get; init; }

    /// <summary>Until when the line may rest if it moves now, in Unix seconds: never after its grant.</summary>
    public long IdleUntil(DateTimeOffset now) =>
        Math.Min(now.Add(Idle).ToUnixTimeSeconds(), Grant.ExpiresAt.ToUnixTimeSeconds());
}
