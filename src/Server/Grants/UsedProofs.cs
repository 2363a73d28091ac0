using Postern.AspNetCore.Proofs;
using Postern.Platform;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>
/// The proofs that were used at any node, until they are too old anyway. All that come at a time go into the database
/// with one statement of the commit that serves everybody else who waits.
/// </summary>
internal sealed class UsedProofs
{
    private readonly Db db;
    private readonly Sweep sweep;

    public UsedProofs(Db db, TimeProvider clock)
    {
        (this.db, sweep) = (db, new(clock));
        db.AtCommit(CommitStep.Proofs, TakeAsync);
    }

    /// <summary>True for the first who brings it to any node.</summary>
    public async ValueTask<bool> IsFirstAsync(ProofUse use, CancellationToken stop)
    {
        var taking = new Taking(use);
        await db.AttachAsync(taking).WaitAsync(stop);
        return taking.IsFirst;
    }

    private async ValueTask TakeAsync(Unit last, IReadOnlyList<object> attached, IReadOnlyList<Change> changes)
    {
        var asked = attached.OfType<Taking>().OrderBy(taking => taking.Use.Name, StringComparer.Ordinal).ToList();
        if (asked.Count is 0)
        {
            return;
        }

        if (sweep.IsDue(out var now))
        {
            await last.RunAsync($"delete from used_proofs where expires_at < {now}");
        }

        // In the order of their names, so that two nodes that bring the same ones get past each other.
        var names = string.Join(',', asked.Select(taking => taking.Use.Name));
        var until = asked.Max(taking => taking.Use.Until).ToUnixTimeSeconds();
        var first = await last.AllAsync(
            $"""
            insert into used_proofs (name, expires_at)
            select name, {until} from unnest(string_to_array({names}, ',')) as name
            on conflict do nothing returning name
            """,
            row => row.GetString(0));
        asked.ForEach(taking => taking.IsFirst = first.Contains(taking.Use.Name));
    }

    private sealed class Taking(ProofUse use)
    {
        public ProofUse Use => use;

        public bool IsFirst { get; set; }
    }
}
