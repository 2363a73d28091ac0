using System.Buffers;
using System.Text.Json;
using Postern.Gateway.Inspect;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>
/// A page of <c>tools/list</c>: what a grant allows stays, byte for byte; the rest is as if it were not there. It asks
/// the same question as a call does, so what is listed can be called and what cannot is not listed.
/// </summary>
internal static class ToolList
{
    /// <summary>The tools of a page that may be offered at all.</summary>
    public static IEnumerable<(Part Place, ToolDefinition Tool)> Read(Message page)
    {
        var tools = page.At("result"u8, "tools"u8);
        if (tools.Type is not JsonTokenType.StartArray)
        {
            yield break;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var place in ToolDefinition.Elements(page.Bytes.Span, tools))
        {
            // Two tools of one name: which of them runs is not known, so neither the second is shown.
            if (ToolDefinition.Read(page.Bytes.Slice(place.Start, place.Length)) is { Defect: null } tool
                && seen.Add(tool.Name))
            {
                yield return (place, tool);
            }
        }
    }

    public static void Filter(Message page, Call call, Edits edits)
    {
        var tools = page.At("result"u8, "tools"u8);
        if (tools.IsMissing)
        {
            return;
        }

        var kept = new ArrayBufferWriter<byte>(tools.Length);
        kept.Write("["u8);
        foreach (var (place, tool) in Read(page))
        {
            if (IsListed(call, tool))
            {
                kept.Write(kept.WrittenCount > 1 ? ","u8 : default);
                kept.Write(page.Bytes.Span.Slice(place.Start, place.Length));
            }
        }

        kept.Write("]"u8);
        edits.Replace(tools, kept.WrittenMemory);
    }

    private static bool IsListed(Call call, ToolDefinition tool)
    {
        var (grant, risk) = (call.Grant, RiskOf(call.Server, tool));
        return grant.Allows(tool.Name, risk)
            && DetailRules.Forbids(grant.Details, call.Limited, call.Server.Declares.For(tool.Name), risk) is null;
    }

    /// <summary>The operator's word wins over the server's.</summary>
    public static Risk RiskOf(McpServer server, ToolDefinition tool) =>
        server.Risks.GetValueOrDefault(tool.Name, tool.Risk);
}
