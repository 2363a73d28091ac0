namespace Postern.Grants;

/// <summary>Whose grants are meant, where all of somebody's or something's are.</summary>
internal abstract record GrantsOf
{
    private GrantsOf()
    {
    }

    /// <summary>What a person let in, by whichever client.</summary>
    public sealed record Person(SubjectId Id) : GrantsOf;

    /// <summary>What a client was let in for, by whomever, and what it may do as itself.</summary>
    public sealed record Client(ClientId Id) : GrantsOf;

    /// <summary>What one copy of a client was let in for.</summary>
    public sealed record Copy(InstallationId Id) : GrantsOf;

    /// <summary>What reaches one resource.</summary>
    public sealed record Server(Resource Resource) : GrantsOf;
}
