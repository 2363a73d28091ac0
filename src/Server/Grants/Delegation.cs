namespace Postern.Grants;

/// <summary>
/// How a grant is passed on (RFC 8693 §1.1, delegation): somebody acts for the same subject, and reaches no further
/// than the one it came parent. Pure, so that its laws can be tried with any grants.
/// </summary>
internal static class Delegation
{
    /// <summary>How many may stand one behind another.</summary>
    public const int MaxActors = 3;

    /// <summary>The grant that one more actor may have, without a name yet; or why there is none.</summary>
    public static Result<Grant> PassOn(Grant parent, string issuer, Hop hop)
    {
        if (parent.Actors.Count >= MaxActors)
        {
            return OAuthError.InvalidRequest($"A grant is passed on {MaxActors} times at most.");
        }

        // Identity is issuer and subject together; of somebody who acts for oneself there is nothing to record.
        if (hop.Actor.Is(issuer, parent.Subject.Value) || parent.Actors.Any(hop.Actor.Is))
        {
            return OAuthError.InvalidRequest("The actor already stands in this chain.");
        }

        if (hop.Resource != parent.Resource)
        {
            return OAuthError.InvalidTarget("A token is exchanged for one at the same resource.");
        }

        if (ScopesOf(parent, hop).Failed(out var error, out var scopes))
        {
            return error;
        }

        return (hop.Details is { } asked ? parent.Within(asked) : parent) is not { } held
            ? new OAuthError("invalid_authorization_details", "The subject token does not hold all of these.")
            : Of(parent, held, hop, scopes);
    }

    private static Grant Of(Grant parent, Grant held, Hop hop, Scopes scopes) => held with
    {
        Id = default,
        Client = hop.Client,
        ClientName = hop.ClientName,
        ClientHash = null,
        Installation = null,
        InstallationName = null,
        Scopes = scopes,
        Parent = parent.Id,
        Root = parent.Root ?? parent.Id,
        Actors = [hop.Actor, .. parent.Actors],
    };

    // Nobody goes on without the person, so what refreshing needs is not passed on.
    private static Result<Scopes> ScopesOf(Grant parent, Hop hop)
    {
        var most = hop.Held.Intersect(parent.Scopes).Without(Scopes.OfflineAccess);
        var reach = hop.Cap is { } cap ? most.Intersect(cap) : most;
        return (hop.Asked ?? reach) switch
        {
            { IsEmpty: true } => OAuthError.InvalidScope("Nothing of the subject token may be passed on."),
            var asked when !asked.IsWithin(reach) =>
                OAuthError.InvalidScope("The subject token, or this client, does not hold all of these scopes."),
            var asked => asked,
        };
    }
}

/// <summary>One step of a delegation.</summary>
/// <param name="Actor">Who is to act.</param>
/// <param name="Client">The client that will present the tokens.</param>
/// <param name="ClientName">What people see.</param>
/// <param name="Resource">Where.</param>
/// <param name="Held">The scopes of the token that is shown, which may be fewer than its grant's.</param>
/// <param name="Asked">The scopes asked for; null for all there may be.</param>
/// <param name="Cap">The most that the client may ever have; null for no limit of its own.</param>
internal sealed record Hop(
    ActingParty Actor, ClientId Client, string ClientName, Resource Resource, Scopes Held, Scopes? Asked, Scopes? Cap)
{
    /// <summary>The details asked for; null for all that the token holds.</summary>
    public Details? Details { get; init; }
}
