using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using Postern.Platform.Keys;

namespace Postern.Approvals;

/// <summary>
/// What a client polls with: <c>pdc_ID.MAC</c>. The MAC is made under the tenant's key and a purpose of its own for
/// each way, over client and question, and checked before anything is looked up: a guess costs no query, and another
/// client's code is as unknown as one that never was.
/// </summary>
internal sealed class AskCodes(Sealer sealer)
{
    public string Of(Ask ask) =>
        $"{Prefix(ask.Way)}{ask.Name}.{Base64Url.EncodeToString(
            sealer.Mac(ask.Tenant, Parameter(ask.Way), Body(ask.Client, ask.Name)))}";

    /// <summary>
    /// Which question a code is of; null unless it is this client's, of this way, in its one spelling.
    /// </summary>
    public GrantId? Read(AskWay way, string code, TenantId tenant, ClientId client)
    {
        if (!code.StartsWith(Prefix(way), StringComparison.Ordinal)
            || code[Prefix(way).Length..].Split('.') is not [{ Length: 32 } name, { Length: 43 } text]
            || !Base64Url.IsValid(text))
        {
            return null;
        }

        var mac = Base64Url.DecodeFromChars(text);
        return sealer.IsMac(tenant, Parameter(way), Body(client, name), mac) && Base64Url.EncodeToString(mac) == text
            ? new(GrantId.Prefix + name)
            : null;
    }

    /// <summary>The name by which clients bring it; also what its MAC is made for.</summary>
    public static string Parameter(AskWay way) => way switch
    {
        AskWay.Device => "device_code",
        AskWay.Backchannel => "auth_req_id",
        AskWay.Deferred => "deferral_code",
        _ => throw new UnreachableException(),
    };

    private static byte[] Body(ClientId client, string name) => Encoding.UTF8.GetBytes($"{client}\n{name}");

    private static string Prefix(AskWay way) => way switch
    {
        AskWay.Device => "pdc_",
        AskWay.Backchannel => "pba_",
        AskWay.Deferred => "pdf_",
        _ => throw new UnreachableException(),
    };
}
