using System.Security.Cryptography;
using Postern.Audit;
using Postern.Platform;
using Postern.Platform.Database;

namespace Postern.Approvals;

/// <summary>Takes questions in, few at a time: nobody's day is filled with them, and no table.</summary>
internal sealed class AskDesk(Db db, Pings pings, AuditLog audit, TimeProvider clock, RandomNumberGenerator random)
{
    /// <summary>How long a person has, and the client with the answer.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>How long a person who said no to a client is left alone by it.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Questions that may wait at one time: in a tenant, those of strangers and those of clients that an operator knows
    /// apart; of one client; of strangers in one network; and for one person.
    /// </summary>
    public const int Most = 10_000, PerClient = 1000, PerNetwork = 100, PerPerson = 10;

    private const int Tries = 5;

    private readonly Sweep sweep = new(clock);

    private static OAuthError TooMany =>
        OAuthError.TooMany("Too many requests wait for an answer; try again later.", TimeSpan.FromMinutes(1));

    private static OAuthError Waiting => OAuthError.TooMany(
        "The same question waits for an answer; tell them apart by binding_message.", TimeSpan.FromMinutes(1));

    /// <summary>Puts a question to whoever will bring its user code, which is made here.</summary>
    public async Task<Result<Ask>> OfferAsync(Ask ask)
    {
        for (var tries = 0; tries < Tries; tries++)
        {
            var coded = ask with { UserCode = UserCode.New(random) };
            if (await db.WriteAsync(unit => InsertAsync(unit, coded, openKey: null)) is { } outcome)
            {
                return outcome;
            }
        }

        return TooMany;
    }

    /// <summary>
    /// Puts a question to a person, never the same one twice. Who repeats it is told to wait: with the code of the
    /// first request, somebody who asks at the same time would be let in by an answer that was meant for another. A
    /// client that acts for nobody else may have the code again, which it lost.
    /// </summary>
    public Task<Result<Ask>> PutAsync(Ask ask, Callback? callback)
    {
        var key = AskStore.Sameness(ask, callback?.Token);
        var told = callback is null ? ask : ask with { Notify = pings.Seal(ask, callback) };
        return db.WriteAsync(async unit =>
        {
            var now = clock.GetUtcNow();
            await AskStore.FreeAsync(unit, ask.Tenant, key, now);
            if (await AskStore.OpenAsync(unit, ask.Tenant, key) is { } same)
            {
                return Again(same);
            }

            if (await AskStore.WasDeniedAsync(unit, ask, now - Rest))
            {
                return new OAuthError("access_denied", "The person said no a moment ago.", 403);
            }

            // What another node wrote meanwhile is the same question.
            return await InsertAsync(unit, told, key)
                ?? (await AskStore.OpenAsync(unit, ask.Tenant, key) is { } others ? Again(others) : TooMany);
        });
    }

    private static Result<Ask> Again(Ask ask) => ask.Way is AskWay.Deferred ? ask : Waiting;

    // Null when the user code is taken, or the same question came in between.
    private async ValueTask<Result<Ask>?> InsertAsync(Unit unit, Ask ask, string? openKey)
    {
        if (sweep.IsDue(out var second))
        {
            await AskStore.PruneAsync(unit, second);
        }

        if (await AskStore.CountAsync(unit, ask, clock.GetUtcNow()) is not
            { InAll: < Most, OfClient: < PerClient, OfNetwork: < PerNetwork, OfSubject: < PerPerson })
        {
            return TooMany;
        }

        if (!await AskStore.InsertAsync(unit, ask, openKey))
        {
            return null;
        }

        // A question to nobody in particular is written down when somebody answers it.
        if (ask.Subject is { } subject)
        {
            audit.Write(unit, new()
            {
                Tenant = ask.Tenant,
                Kind = AuditKinds.GrantAsked,
                User = subject,
                Client = ask.Client,
                Resource = ask.Wish.Resource,
                Network = ask.Network,
            });
        }

        return ask;
    }
}
