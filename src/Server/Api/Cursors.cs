using System.Text;
using Postern.Platform.Keys;

namespace Postern.Api;

/// <summary>
/// Where a list goes on: sealed, so that nobody makes one, and good for the same list, tenant and caller only.
/// </summary>
internal sealed class Cursors(Sealer sealer, AdminToken caller)
{
    private const string Purpose = "api-cursor";
    private const int MaxLength = 300;

    public string Seal(TenantId tenant, string list, string position) =>
        sealer.Seal(tenant, Purpose, Encoding.UTF8.GetBytes(position), Context(list));

    public string? Open(TenantId tenant, string list, string text) =>
        text.Length <= MaxLength && sealer.Open(tenant, Purpose, text, Context(list)) is { } position
            ? Encoding.UTF8.GetString(position)
            : null;

    private byte[] Context(string list) => Encoding.UTF8.GetBytes($"{list}\n{caller.Hash}");
}
