using System.Net;
using System.Net.Sockets;
using Postern.Platform.Configuration;
using Postern.Platform.Http;
using Postern.Platform.Outbound;
using Postern.Platform.Tenants;

namespace Postern.Api;

/// <summary>
/// Judges a server to be added. Its address is vetted by the rules that will hold at every connection; whatever is
/// wrong with it is answered in the same words, which tell nothing of the network around us (CVE-2026-56739).
/// </summary>
internal sealed class ServerVetting(
    OutboundOptions options, Settings settings, TenantBook tenants, TimeProvider clock)
{
    private const int MaxTitle = 80, MaxTools = 200, MaxToolName = 128;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly Problem NotReachable = Problem.Bad(
        "`url` must be an https address on port 443 of a public host. A server on this machine or in your own "
            + "network is "
        + "named in postern.yaml under `servers:`, or its range is opened there with `outbound.allow`.");

    private readonly AddressRules rules = new(options.Allow);

    public Problem? RefuseProtection(RequireSeed? require, bool transactionTokens, Tenant tenant) => require switch
    {
        { } demands when !demands.IsWhole() => Problem.Bad(
            "`require` has `acr` (a list of " + string.Join(", ", Acr.All) + "), `max_age` (such as 15m, from 1m to "
                + "30d), the same below `read`, `change` and `destroy`, and `tools`, a list with `name`."),
        _ when transactionTokens && (settings.TrustDomain is null || tenant.Id != tenants.Default.Id) => Problem.Bad(
            "`transaction_tokens` needs `trust_domain` in postern.yaml, which is that of the root tenant."),
        _ => null,
    };

    public static Problem? RefuseDeclarations(IReadOnlyList<DeclarationSeed>? declares) =>
        declares is null || DeclarationSeed.AreGood(declares) ? null : Problem.Bad(
            $"`declares` is a list of at most {DeclarationSeed.MostTools} tools, each with `name` and any of `spends` "
                + "(`amount`, `currency` and perhaps `merchant`, or {}), `data` (`datatypes` and perhaps `labels` and "
                + "`row_filter_ref`, or {}) and `calls` (a list with `upstream`, `method` and `path`).");

    public async Task<Problem?> RefuseAsync(NewServer server, Tenant tenant, CancellationToken stop) => server switch
    {
        _ when !ServerSeed.IsName(server.Name) =>
            Problem.Bad("`name` must be 1 to 40 lower-case letters, digits and hyphens, with no hyphen at either end."),
        { Title: { } title } when title.Length is 0 or > MaxTitle || title.Any(char.IsControl) =>
            Problem.Bad($"`title` must be a line of 1 to {MaxTitle} characters."),
        { Tools: { } tools } when tools.Count > MaxTools || tools.Any(tool => !IsTool(tool)) =>
            Problem.Bad($"`tools` must be at most {MaxTools} names with read, change or destroy."),
        { Token: { } token } when token.Refuse() is { } wrong => Problem.Bad(wrong),
        _ when RefuseDeclarations(server.Declares) is { } problem => problem,
        _ when RefuseProtection(server.Require, server.TransactionTokens, tenant) is { } problem => problem,
        _ => await IsReachableAsync(server.Url, stop) ? null : NotReachable,
    };

    private static bool IsTool(KeyValuePair<string, string> tool) =>
        tool.Key.Length is > 0 and <= MaxToolName && Risks.Parse(tool.Value) is not null;

    private async Task<bool> IsReachableAsync(string text, CancellationToken stop)
    {
        if (!OutboundUrl.TryParse(text, out var url))
        {
            return false;
        }

        var isEncrypted = url.Uri.Scheme == Uri.UriSchemeHttps;
        var addresses = await AddressesAsync(url.Uri.IdnHost, stop);
        return addresses.Length > 0
            && Array.TrueForAll(addresses, address => rules.PermitsStranger(address, url.Uri.Port, isEncrypted));
    }

    private async Task<IPAddress[]> AddressesAsync(string host, CancellationToken stop)
    {
        if (IPAddress.TryParse(host, out var literal))
        {
            return [literal];
        }

        using var deadline = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            return await SystemResolver.ResolveAsync(host, either.Token);
        }
        catch (Exception unknown) when (unknown is SocketException || deadline.IsCancellationRequested)
        {
            return [];
        }
    }
}
