using System.Text.Json;
using Postern.Grants;
using Postern.Grants.Parties;
using Postern.Identity.Users;

namespace Postern.OAuth.Revoke;

/// <summary>
/// Whom a subject identifier means (RFC 9493 §3): <c>email</c>, <c>opaque</c> (our name for them), or <c>iss_sub</c>,
/// by our name or by that of an issuer that has meant them before. By our name an agent can be meant, too.
/// </summary>
internal sealed class SubjectIdentifiers(UserStore users, ForeignSubjects foreign, AgentBook agents)
{
    /// <summary>Bytes of a request.</summary>
    public const int MaxBytes = 8 * 1024;

    private const int MaxText = 500, MaxDepth = 4;

    /// <summary>
    /// The texts of the <c>sub_id</c> of a request; null when it is not one, or of no kind served here.
    /// </summary>
    public static IReadOnlyDictionary<string, string>? Read(ReadOnlyMemory<byte> json)
    {
        if (StrictJson.Read(json, MaxDepth) is not { ValueKind: JsonValueKind.Object } body
            || !body.TryGetProperty("sub_id", out var id)
            || id.ValueKind is not JsonValueKind.Object
            || !id.EnumerateObject().All(member => member.Value.ValueKind is JsonValueKind.String))
        {
            return null;
        }

        var members = id.EnumerateObject().ToDictionary(
            member => member.Name, member => member.Value.GetString()!, StringComparer.Ordinal);
        return IsServed(members) ? members : null;
    }

    /// <summary>Whose grants are meant; null when nobody is.</summary>
    public async Task<GrantsOf?> FindAsync(
        Tenant tenant, IReadOnlyDictionary<string, string> id, CancellationToken stop)
    {
        if (id["format"] is "iss_sub" && id["iss"] == tenant.Issuer && agents.Find(tenant.Id, id["sub"]) is { } agent)
        {
            return new GrantsOf.Agent(agent.Id);
        }

        var user = id["format"] switch
        {
            "email" => await users.FindByEmailAsync(tenant.Id, id["email"], stop),
            "opaque" => await users.FindAsync(tenant.Id, new(id["id"]), stop),
            _ when id["iss"] == tenant.Issuer => await users.FindAsync(tenant.Id, new(id["sub"]), stop),
            _ => await foreign.FindAsync(tenant.Id, new(id["iss"], "", id["sub"]), stop),
        };
        return user is null ? null : new GrantsOf.Person(user.Id);
    }

    // §3: exactly the members of its format. A NUL would not pass the database.
    private static bool IsServed(Dictionary<string, string> id)
    {
        string[]? wanted = id.GetValueOrDefault("format") switch
        {
            "email" => ["format", "email"],
            "opaque" => ["format", "id"],
            "iss_sub" => ["format", "iss", "sub"],
            _ => null,
        };
        return wanted is not null
            && id.Count == wanted.Length
            && Array.TrueForAll(wanted, id.ContainsKey)
            && id.Values.All(text => text.Length is > 0 and <= MaxText && !text.Contains('\0'));
    }
}
