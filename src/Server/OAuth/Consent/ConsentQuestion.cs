using System.Security.Cryptography;
using System.Text;
using Postern.Grants;
using Postern.OAuth.ClientAuth;
using Postern.Servers;

namespace Postern.OAuth.Consent;

/// <summary>What a person is asked: the proposal with everything the page shows of it, as it is now.</summary>
internal sealed record ConsentQuestion
{
    public required Proposal Proposal { get; init; }

    public required Client Client { get; init; }

    public required McpServer Server { get; init; }

    /// <summary>The tools within the scopes asked for; null when the server has not told yet, so only classes can be shown.</summary>
    public required IReadOnlyList<Tool>? Tools { get; init; }

    public required Scopes Asked { get; init; }

    /// <summary>
    /// Binds the answer to what was shown: another proposal, client or set of tools in the meantime is another question,
    /// and two tabs cannot answer each other's.
    /// </summary>
    public string Purpose => "consent\n" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(
        '\n',
        [Proposal.Id, Client.Hash ?? "", Server.Resource.Value, .. Tools?.Select(tool => $"{tool.Name} {tool.Hash}") ?? []]))));

    /// <summary>What can be ticked: tools, or whole classes while the tools are not known.</summary>
    public IReadOnlyList<ToolChoice> Choices => Tools is not null
        ? [.. Tools.Select(tool => new ToolChoice(tool.Name, tool.Risk, tool.Description ?? tool.Title))]
        : [.. Risks.All.Where(risk => Asked.Has(risk.Scope)).Select(risk => new ToolChoice(ClassName(risk), risk))];

    /// <summary>The scopes and tools that a set of ticks amounts to; null when nothing is left.</summary>
    public (Scopes Scopes, IReadOnlyList<string>? Tools)? Narrow(IReadOnlyCollection<string> ticked)
    {
        var on = Choices.Where(choice => ticked.Contains(choice.Name)).ToList();
        if (on.Count is 0)
        {
            return null;
        }

        var scopes = Scopes.Of(on.Select(choice => choice.Risk).Distinct().Order().Select(risk => risk.Scope))
            .With(Asked.Intersect(Scopes.Of(Scopes.OfflineAccess)));
        return (scopes, Tools is null ? null : [.. on.Select(choice => choice.Name)]);
    }

    private static string ClassName(Risk risk) => $"Everything that can {risk.Word}";
}
