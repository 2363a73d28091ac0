using System.Collections.Concurrent;
using System.Globalization;
using Postern.AspNetCore.AccessTokens;

namespace Postern.AspNetCore.Revocations;

/// <summary>
/// What is known to have ended at the issuer, for as long as a token of it could be taken, which grants are off there,
/// and until when that is all there is to know. Bounded: when there is no more room, nothing is known for certain any
/// more.
/// </summary>
internal sealed class RevocationWatch(
    TimeSpan patience, LateRevocations whenLate, IssuerQuestions questions, TimeProvider clock)
{
    /// <summary>Ends that are remembered, and grants that are off.</summary>
    internal const int Most = 131_072;

    /// <summary>Longer than any token lives.</summary>
    private static readonly long Kept = (long)TimeSpan.FromMinutes(70).TotalSeconds;

    private readonly ConcurrentDictionary<string, long>
        grants = new(StringComparer.Ordinal), tokens = new(StringComparer.Ordinal);

    private readonly OffGrants off = new(Most);
    private long heardAt = long.MinValue;
    private long missingUntil = long.MinValue;
    private int count;

    /// <summary>Whether all that ended and is off is known, but for what came within the patience.</summary>
    public bool IsCurrent =>
        Interlocked.Read(ref heardAt) is var heard && heard != long.MinValue
        && clock.GetUtcNow().ToUnixTimeMilliseconds() - heard <= (long)patience.TotalMilliseconds
        && Now >= Interlocked.Read(ref missingUntil)
        && off.IsComplete;

    /// <summary>
    /// Why a token that is valid in itself is not taken, for the log; null when nothing speaks against it.
    /// </summary>
    public string? WhyNot(AccessToken token) => token.GrantId switch
    {
        { } grant when !grants.IsEmpty && grants.ContainsKey(grant) => "revocations: its grant ended",
        _ when !tokens.IsEmpty && tokens.ContainsKey(token.Id) => "revocations: it ended",
        { } grant when off.Has(grant) => "switches: somebody in its grant is off",
        _ => null,
    };

    /// <summary>Judges a valid token while it is not known what ended; null when it stands.</summary>
    public async ValueTask<TokenRefusal?> AskAsync(string token, CancellationToken stop)
    {
        if (whenLate is LateRevocations.Refuse)
        {
            return TokenRefusal.Outage("revocations: not heard of lately");
        }

        try
        {
            return await questions.ClaimsAsync(token, stop) is null
                ? TokenRefusal.Token("introspection: not active")
                : null;
        }
        catch (HttpRequestException outage)
        {
            return TokenRefusal.Outage($"revocations: not heard of lately, and {outage.Message}");
        }
    }

    /// <summary>Takes in what the stream tells: of an end, or of who is off and on.</summary>
    public void Note(string what, string id)
    {
        switch (what)
        {
            case "grant":
                NoteEnd(grants, id);
                break;
            case "token":
                NoteEnd(tokens, id);
                break;
            case "off":
                off.Add(id);
                break;
            case "on" when int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var named):
                off.Settle(named);
                break;
        }
    }

    /// <summary>Takes in that another stream begins, which tells from the start who is off.</summary>
    public void Begin() => off.Begin();

    /// <summary>Takes in that everything until now has been told.</summary>
    public void Beat()
    {
        Interlocked.Exchange(ref heardAt, clock.GetUtcNow().ToUnixTimeMilliseconds());
        Forget();
    }

    private long Now => clock.GetUtcNow().ToUnixTimeSeconds();

    private void NoteEnd(ConcurrentDictionary<string, long> ended, string id)
    {
        if (ended.ContainsKey(id))
        {
            return;
        }

        if (Volatile.Read(ref count) >= Most)
        {
            // For as long as it would be remembered, its absence proves nothing.
            Interlocked.Exchange(ref missingUntil, Now + Kept);
        }
        else if (ended.TryAdd(id, Now + Kept))
        {
            Interlocked.Increment(ref count);
        }
    }

    private void Forget()
    {
        var now = Now;
        foreach (var ended in (ConcurrentDictionary<string, long>[])[grants, tokens])
        {
            foreach (var one in ended.Where(one => one.Value < now))
            {
                ended.TryRemove(one);
            }
        }

        Volatile.Write(ref count, grants.Count + tokens.Count);
    }
}
