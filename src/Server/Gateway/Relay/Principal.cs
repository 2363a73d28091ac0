namespace Postern.Gateway.Relay;

/// <summary>Who calls, and by which grant. Everything that outlives one request is kept under all four.</summary>
internal sealed record Principal(TenantId Tenant, SubjectId Subject, ClientId Client, GrantId Grant);
