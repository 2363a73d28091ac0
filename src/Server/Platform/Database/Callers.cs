namespace Postern.Platform.Database;

/// <summary>Tells the callers of a group what became of their units.</summary>
internal static class Callers
{
    [ThreadStatic]
    private static bool isTelling;

    /// <summary>
    /// Whether this thread is telling callers just now. Whoever is told and writes again leaves that to another thread:
    /// the others of its group must not wait for it.
    /// </summary>
    public static bool AreBeingTold => isTelling;

    // What follows an answer runs on the thread that tells it. A task of the pool for each caller would wake threads
    // for each of them; two are enough to keep both halves going.
    public static void Tell(List<Work> group)
    {
        var half = (group.Count + 1) / 2;
        if (half < group.Count)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static part => Tell(part.Group, part.From, part.Group.Count),
                (Group: group, From: half),
                preferLocal: false);
        }

        Tell(group, 0, half);
    }

    private static void Tell(List<Work> group, int from, int to)
    {
        isTelling = true;
        for (var i = from; i < to; i++)
        {
            group[i].Tell();
        }

        isTelling = false;
    }
}
