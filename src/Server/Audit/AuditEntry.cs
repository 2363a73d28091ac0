namespace Postern.Audit;

/// <summary>
/// What happened, who acted, on what, and how it was decided. Personal values appear only as commitments.
/// </summary>
public sealed record AuditEntry
{
    public required TenantId Tenant { get; init; }

    /// <summary>One of <see cref="AuditKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>The person who acted or for whom it was done.</summary>
    public SubjectId? User { get; init; }

    public ClientId? Client { get; init; }

    /// <summary>The agent that acted, whichever client it came by.</summary>
    public string? Agent { get; init; }

    /// <summary>
    /// The method of a call (<c>tools/call</c>), the grant type of a token, or the path of a request that was refused.
    /// </summary>
    public string? Action { get; init; }

    public string? Resource { get; init; }

    public string? Tool { get; init; }

    public string? ToolHash { get; init; }

    /// <summary>The grant by which it was done or refused, and what that grant allowed at the time.</summary>
    public Grant? Grant { get; init; }

    /// <summary><c>allow</c> or <c>deny</c>; null where nothing was decided.</summary>
    public string? Effect { get; init; }

    /// <summary>Why, in the words of the code that decided; never a value that came from outside.</summary>
    public string? Reason { get; init; }

    /// <summary>What a call costs, where its grant limits that; who gets it stays out of the log.</summary>
    public Charge? Charge { get; init; }

    /// <summary>The <c>jti</c> of the token, of which the entry keeps the hash.</summary>
    public string? TokenId { get; init; }

    /// <summary>The entry that announced what this one closes.</summary>
    public string? IntentRef { get; init; }

    /// <summary><c>ok</c>, <c>error</c>, <c>cancelled</c> or <c>unknown</c>, for what took time.</summary>
    public string? Status { get; init; }

    public long? DurationMs { get; init; }

    /// <summary>Commits to the arguments of a call without telling them: SHA-256 over a salt and the bytes.</summary>
    public string? ArgumentsDigest { get; init; }

    /// <summary>The network of the caller, <c>/24</c> or <c>/48</c>.</summary>
    public string? Network { get; init; }

    /// <summary>The W3C trace the act belongs to.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>The closed list of what an entry can be about; a reader that meets another kind stops.</summary>
public static class AuditKinds
{
    public const string SystemStarted = "system.started";
    public const string SystemStopped = "system.stopped";
    public const string ClientRegistered = "client.registered";
    public const string ClientChanged = "client.changed";
    public const string ClientRemoved = "client.removed";
    public const string ServerAdded = "server.added";
    public const string ServerRemoved = "server.removed";
    public const string AgentCreated = "agent.created";
    public const string AgentRetired = "agent.retired";
    public const string OrganizationChanged = "organization.changed";
    public const string SwitchedOff = "switched.off";
    public const string SwitchedOn = "switched.on";
    public const string TenantAdded = "tenant.added";
    public const string TenantRemoved = "tenant.removed";
    public const string UserCreated = "user.created";
    public const string UserChanged = "user.changed";
    public const string UserLogin = "user.login";
    public const string UserLogout = "user.logout";
    public const string UserFailed = "user.failed";
    public const string GrantAsked = "grant.asked";
    public const string GrantApproved = "grant.approved";
    public const string GrantDenied = "grant.denied";
    public const string GrantRevoked = "grant.revoked";
    public const string GrantAllRevoked = "grant.all-revoked";
    public const string RequestRefused = "request.refused";
    public const string TokenIssued = "token.issued";
    public const string TokenRefreshed = "token.refreshed";
    public const string TokenExchanged = "token.exchanged";
    public const string TokenIntrospected = "token.introspected";
    public const string TokenRevoked = "token.revoked";
    public const string TokenReuse = "token.reuse-detected";
    public const string ToolList = "tool.list";
    public const string ToolCallDecision = "tool.call.decision";
    public const string ToolCallOutcome = "tool.call.outcome";
    public const string ToolChanged = "tool.changed";
    public const string KeysRotated = "keys.rotated";
    public const string AdminRead = "admin.read";
    public const string AdminChanged = "admin.changed";
}
