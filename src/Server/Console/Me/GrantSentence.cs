using Postern.Platform.Pages;
using Postern.Servers;

namespace Postern.Console.Me;

/// <summary>
/// What a grant allows, as its owner would say it; made from the grant itself, so it cannot promise otherwise.
/// </summary>
internal static class GrantSentence
{
    public static string Of(Grant grant, McpServer? server)
    {
        var verbs = Risks.All.Where(risk => grant.Scopes.Has(risk.Scope)).Select(risk => risk.Word).ToArray();
        var where = server?.Title ?? grant.Resource.Value;
        return (verbs, grant.Tools) switch
        {
            ([], _) => $"Knows who you are, at {where}.",
            (_, null) => $"May {string.Join(" and ", verbs)} in {where}.",
            (_, { Count: var count }) =>
                $"May {string.Join(" and ", verbs)} in {where}, with {PlainTime.Count(count, "tool")} you chose.",
        };
    }
}
