using System.Security.Cryptography;
using System.Text;
using Postern.Platform.Database;

namespace Postern.Grants;

/// <summary>
/// One copy of a client on one device: the same client identifier serves thousands, and a person wants to end the one
/// on the lost laptop. A copy is told apart by the browser in which it was let in.
/// </summary>
internal static class Installations
{
    /// <summary>The copy of this client that this person lets in from this browser.</summary>
    public static InstallationId Id(SubjectId subject, ClientId client, string browser)
    {
        var name = Encoding.UTF8.GetBytes($"{subject}\n{client}\n{browser}");
        return new("in_" + Convert.ToHexStringLower(SHA256.HashData(name))[..32]);
    }

    public static async ValueTask SeeAsync(Unit unit, Grant grant, DateTimeOffset now)
    {
        if (grant is { Installation: { } id, InstallationName: { } name })
        {
            await unit.RunAsync(
                $"""
                insert into installations (tenant, id, subject, client_id, name, first_seen, last_seen)
                values ({grant.Tenant.Value}, {id.Value}, {grant.Subject.Value}, {grant.Client.Value}, {name},
                  {now.ToUnixTimeSeconds()}, {now.ToUnixTimeSeconds()})
                on conflict (tenant, id) do update set last_seen = excluded.last_seen, name = excluded.name
                """);
        }
    }
}
