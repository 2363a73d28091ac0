using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Postern.Grants;

/// <summary>A row of <c>grants</c>: how a grant is written there, and read.</summary>
internal static partial class GrantRow
{
    /// <summary>With when it was last used, and what its tokens and their line are bound to.</summary>
    public static GrantUse ReadUse(DbDataReader row) => new(Read(row), At(row, "used_at"))
    {
        IsBound = Text(row, "bound_to") is { Length: > 0 },
        IsOfCopy = Text(row, "instance") is { Length: > 0 },
    };

    public static Grant Read(DbDataReader row) => new()
    {
        Id = new(Text(row, "id")!),
        Tenant = new(Text(row, "tenant")!),
        Subject = new(Text(row, "subject")!),
        IsOwn = row.GetBoolean(row.GetOrdinal("is_own")),
        Client = new(Text(row, "client_id")!),
        ClientName = Text(row, "client_name")!,
        ClientHash = Text(row, "client_hash"),
        Installation = Text(row, "installation") is { } installation ? new(installation) : null,
        InstallationName = Text(row, "installation_name"),
        Resource = Resource.TryParse(Text(row, "resource"), out var resource)
            ? resource : throw new InvalidDataException("A stored resource is not one."),
        Scopes = Scopes.TryParse(Text(row, "scopes"), out var scopes)
            ? scopes : throw new InvalidDataException("Stored scopes are none."),
        Tools = Text(row, "tools") is { } tools
            ? JsonSerializer.Deserialize(tools, GrantJson.Default.StringArray)
            : null,
        Details = Text(row, "details") is { } details
            ? Details.Parse(details) ?? throw new InvalidDataException("Stored details are none.")
            : null,
        AuthTime = At(row, "auth_time"),
        Acr = Text(row, "acr"),
        Session = Text(row, "session"),
        Sid = Text(row, "sid"),
        Claims = Text(row, "claims") is { } claims
            ? JsonSerializer.Deserialize(claims, GrantJson.Default.ClaimsWanted)
            : null,
        CreatedAt = At(row, "created_at")!.Value,
        ExpiresAt = At(row, "expires_at")!.Value,
        RevokedAt = At(row, "revoked_at"),
        ApprovedBy = Text(row, "approved_by"),
        Parent = Text(row, "parent_id") is { } parent ? new(parent) : null,
        Root = Text(row, "root_id") is { } root ? new(root) : null,
        Actors = Text(row, "actors") is { } actors
            ? JsonSerializer.Deserialize(actors, GrantJson.Default.ActingPartyArray)!
            : [],
    };

    private static string? Text(DbDataReader row, string column) =>
        row.GetOrdinal(column) is var at && row.IsDBNull(at) ? null : row.GetString(at);

    private static DateTimeOffset? At(DbDataReader row, string column) =>
        row.GetOrdinal(column) is var at && row.IsDBNull(at)
            ? null
            : DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(at));

    public static string? Text(IReadOnlyList<string>? tools) =>
        tools is null ? null : JsonSerializer.Serialize([.. tools], GrantJson.Default.StringArray);

    public static string? Text(ClaimsWanted? claims) =>
        claims is null ? null : JsonSerializer.Serialize(claims, GrantJson.Default.ClaimsWanted);

    public static string? Text(IReadOnlyList<ActingParty> actors) =>
        actors.Count is 0 ? null : JsonSerializer.Serialize([.. actors], GrantJson.Default.ActingPartyArray);

    [JsonSerializable(typeof(string[]))]
    [JsonSerializable(typeof(ActingParty[]))]
    [JsonSerializable(typeof(ClaimsWanted))]
    private sealed partial class GrantJson : JsonSerializerContext;
}
