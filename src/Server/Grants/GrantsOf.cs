using System.Diagnostics;
using Postern.Grants.Parties;

namespace Postern.Grants;

/// <summary>Whose grants are meant, where all of somebody's or something's are.</summary>
internal abstract record GrantsOf
{
    private GrantsOf()
    {
    }

    public static GrantsOf Of(Party party) => party.Kind switch
    {
        PartyKind.Client => new Client(new(party.Id)),
        PartyKind.User => new Person(new(party.Id)),
        PartyKind.Agent => new Agent(party.Id),
        PartyKind.Organization => new Organization(party.Id),
        PartyKind.IdentityProvider => new Issuer(party.Id),
        _ => throw new UnreachableException(),
    };

    /// <summary>What a person let in, by whichever client.</summary>
    public sealed record Person(SubjectId Id) : GrantsOf;

    /// <summary>What a client was let in for, by whomever, and what it may do as itself.</summary>
    public sealed record Client(ClientId Id) : GrantsOf;

    /// <summary>What one copy of a client was let in for.</summary>
    public sealed record Copy(InstallationId Id) : GrantsOf;

    /// <summary>What an agent was let in for, and does as itself, by whichever of its clients.</summary>
    public sealed record Agent(string Id) : GrantsOf;

    /// <summary>What the assertions of an issuer stand for.</summary>
    public sealed record Issuer(string Name) : GrantsOf;

    /// <summary>What those stand in who belong to an organization now.</summary>
    public sealed record Organization(string Id) : GrantsOf;

    /// <summary>What reaches one resource.</summary>
    public sealed record Server(Resource Resource) : GrantsOf;
}
