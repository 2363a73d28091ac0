using System.Text.Json;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;

namespace Postern.OAuth.Token;

/// <summary>Which person an assertion is about, and who it says acts for them.</summary>
internal sealed class AssertedPeople(ForeignSubjects known)
{
    /// <summary>The person, who may sign in here; null for nobody.</summary>
    public async ValueTask<User?> FindAsync(Tenant tenant, Assertion assertion, CancellationToken stop)
    {
        var (issuer, token) = (assertion.Issuer, assertion.Token);
        var who = new ForeignSubject(issuer.Name, token.Text("tenant") ?? "", token.Text("sub")!);
        var user = await known.FindAsync(tenant.Id, who, stop);
        // T154: two providers may name one address, so only the one to which an operator bound its domain is heard.
        if (user is null && token.Text("email") is { } email && issuer.KnowsAddress(email)
            && (Verified(token) ?? issuer.VerifiesAddresses))
        {
            var address = new ForeignAddress(email, IsVerified: Verified(token) is true);
            user = await known.MeetAsync(tenant.Id, who, address, issuer.MakesUsers, stop);
        }

        return user is { DisabledAt: null } ? user : null;
    }

    /// <summary>
    /// The chain of actors that an assertion brings along (RFC 8693 §4.1), with room for who shows it; null when it is
    /// none that we could keep.
    /// </summary>
    public static IReadOnlyList<ActingParty>? ActorsOf(Assertion assertion)
    {
        var actors = new List<ActingParty>();
        var holder = assertion.Token.Claims;
        while (holder.TryGetProperty("act", out var act))
        {
            if (actors.Count >= Grants.Delegation.MaxActors - 1 || Read(act, assertion.Issuer.Name) is not { } actor
                || actors.Any(actor.Is))
            {
                return null;
            }

            actors.Add(actor);
            holder = act;
        }

        return actors;
    }

    // T074: an issuer speaks for its own. Of anybody else's, ours above all, it cannot know who acts.
    private static ActingParty? Read(JsonElement act, string issuer) =>
        act.ValueKind is JsonValueKind.Object
        && (!act.TryGetProperty("iss", out _) || Text(act, "iss") == issuer)
        && Text(act, "sub") is { } subject && TrustedIssuers.IsName(subject)
        && (Text(act, "sub_profile") is not { } profile || TrustedIssuers.IsName(profile))
            ? new(issuer, subject, Text(act, "sub_profile"))
            : null;

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    // Null where nothing is said.
    private static bool? Verified(ForeignToken token) =>
        token.Claims.TryGetProperty("email_verified", out var said) ? said.ValueKind is JsonValueKind.True : null;
}
