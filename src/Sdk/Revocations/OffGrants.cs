using System.Collections.Concurrent;

namespace Postern.AspNetCore.Revocations;

/// <summary>
/// The grants that are off at the issuer. Each counts as soon as it is named; what was off before is on again when all
/// that are off have been named without it. One thread writes, many read.
/// </summary>
internal sealed class OffGrants(int most)
{
    // What was named last time, and what is being named: both count.
    private volatile ConcurrentDictionary<string, byte> known = New(), coming = New();
    private int count;
    private volatile bool isKnownComplete = true, isComingComplete = true;

    /// <summary>Whether each that is off found room.</summary>
    public bool IsComplete => isKnownComplete && isComingComplete;

    /// <summary>How many are in memory.</summary>
    internal int Count => known.Count + coming.Count;

    // What is coming first: it becomes what is known, and would be missed in between the other way round.
    public bool Has(string grant) =>
        (!coming.IsEmpty && coming.ContainsKey(grant)) || (!known.IsEmpty && known.ContainsKey(grant));

    /// <summary>Names are begun anew; what was named in vain stays off until they are complete.</summary>
    public void Begin()
    {
        foreach (var (grant, _) in coming)
        {
            if (known.Count >= most)
            {
                isKnownComplete = false;
                break;
            }

            known.TryAdd(grant, 0);
        }

        isKnownComplete &= isComingComplete;
        Renew();
    }

    public void Add(string grant)
    {
        if (count >= most)
        {
            isComingComplete = false;
        }
        else if (coming.TryAdd(grant, 0))
        {
            count++;
        }
    }

    /// <summary>All have been named, so many.</summary>
    public void Settle(int named)
    {
        isKnownComplete = isComingComplete && count == named;
        known = coming;
        Renew();
    }

    private void Renew()
    {
        coming = New();
        count = 0;
        isComingComplete = true;
    }

    private static ConcurrentDictionary<string, byte> New() => new(StringComparer.Ordinal);
}
