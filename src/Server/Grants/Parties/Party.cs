namespace Postern.Grants.Parties;

/// <summary>What can be switched off.</summary>
internal enum PartyKind
{
    Client,

    User,

    Agent,

    /// <summary>With all its people, agents and issuers.</summary>
    Organization,

    /// <summary>An issuer whose assertions are grants here, of whichever kind.</summary>
    IdentityProvider,
}

/// <summary>Somebody, or something, that an operator can switch off at one tenant.</summary>
internal readonly record struct Party(TenantId Tenant, PartyKind Kind, string Id)
{
    public static Party Of(TenantId tenant, ClientId client) => new(tenant, PartyKind.Client, client.Value);

    public static Party Of(TenantId tenant, SubjectId user) => new(tenant, PartyKind.User, user.Value);

    /// <summary>The kind by its word; null for none.</summary>
    public static PartyKind? KindOf(string word) => word switch
    {
        "client" => PartyKind.Client,
        "user" => PartyKind.User,
        "agent" => PartyKind.Agent,
        "organization" => PartyKind.Organization,
        "identity_provider" => PartyKind.IdentityProvider,
        _ => null,
    };

    /// <summary>How its kind is stored and said on the wire.</summary>
    public string Word => Kind switch
    {
        PartyKind.Client => "client",
        PartyKind.User => "user",
        PartyKind.Agent => "agent",
        PartyKind.Organization => "organization",
        PartyKind.IdentityProvider => "identity_provider",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
