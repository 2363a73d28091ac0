using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Postern.Platform.Keys;

namespace Postern.Grants;

/// <summary>
/// The text of refresh tokens, <c>prt_FAMILY.GENERATION.MAC</c>. The MAC is checked before anything is looked up, so a
/// guess costs no query; the same generation always makes the same text, so a lost answer can be repeated.
/// </summary>
internal sealed class RefreshTokens(Sealer sealer)
{
    private const string Prefix = "prt_", Purpose = "refresh", NamePurpose = "token-id";

    /// <summary>The refresh token of a generation.</summary>
    public string Of(Grant grant, long generation)
    {
        var body = string.Create(
            CultureInfo.InvariantCulture, $"{grant.Id.Value[GrantId.Prefix.Length..]}.{generation}");
        var mac = sealer.Mac(grant.Tenant, Purpose, Encoding.ASCII.GetBytes(body));
        return $"{Prefix}{body}.{Base64Url.EncodeToString(mac)}";
    }

    /// <summary>
    /// The name of the access token that goes with a generation, for one request: its answer is the same each time.
    /// </summary>
    public string NameBeside(Grant grant, long generation, string asked) => Base64Url.EncodeToString(sealer.Mac(
        grant.Tenant,
        NamePurpose,
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{grant.Id}\n{generation}\n{asked}")))
        .AsSpan(0, 16));

    /// <summary>
    /// Reads a refresh token that this tenant made, in its one exact spelling; null for anything else.
    /// </summary>
    public (GrantId Grant, long Generation)? Parse(TenantId tenant, string token)
    {
        if (token.Length > 200
            || !token.StartsWith(Prefix, StringComparison.Ordinal)
            || token[Prefix.Length..].Split('.') is not
                [{ Length: 32 } id, { Length: > 0 and <= 18 } number, { Length: 43 } mac]
            || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
            || !Base64Url.IsValid(mac))
        {
            return null;
        }

        var body = Encoding.ASCII.GetBytes($"{id}.{number}");
        var made = Base64Url.DecodeFromChars(mac);
        return sealer.IsMac(tenant, Purpose, body, made) && Base64Url.EncodeToString(made) == mac
            ? (new(GrantId.Prefix + id), generation)
            : null;
    }
}
