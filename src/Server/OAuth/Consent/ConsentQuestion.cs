using System.Security.Cryptography;
using System.Text;
using Postern.Approvals;
using Postern.Grants;
using Postern.Identity.Users;
using Postern.OAuth.ClientAuth;
using Postern.Servers;

namespace Postern.OAuth.Consent;

/// <summary>What a person is asked: the wish with everything the page shows of it, as it is now.</summary>
internal sealed record ConsentQuestion
{
    public required Wish Wish { get; init; }

    /// <summary>Where the wish waits; null for one that came through the browser that is asked.</summary>
    public Ask? Ask { get; init; }

    public required Client Client { get; init; }

    /// <summary>Where it is to work; null when it asks who the person is, and for nothing else.</summary>
    public required McpServer? Server { get; init; }

    /// <summary>The one audience of what comes of it.</summary>
    public required Resource Resource { get; init; }

    /// <summary>The person who is asked, as they would be told of; null when nothing of them is asked.</summary>
    public User? Person { get; init; }

    /// <summary>All tools of the server; null when it has not told yet, so only classes can be shown.</summary>
    public required IReadOnlyList<Tool>? Catalogue { get; init; }

    /// <summary>The tools within the scopes asked for.</summary>
    public IReadOnlyList<Tool>? Tools => (Catalogue ?? (Details?.Tools is null ? null : []))?
        .Where(tool => Asked.Has(tool.Risk.Scope) && Details?.Tools?.Contains(tool.Name) is not false)
        .ToList();

    /// <summary>What is asked for in more detail (RFC 9396); the tools it names are all there are.</summary>
    public Details? Details => Wish.Details is { } text ? Domain.Details.Parse(text) : null;

    public required Scopes Asked { get; init; }

    /// <summary>The copy of the client that asks, and its name for people.</summary>
    public required (InstallationId Id, string Name) Installation { get; init; }

    /// <summary>What the person was shown when they last let this copy in here; null when they never did.</summary>
    public IReadOnlyDictionary<string, OfferedTool>? Before { get; init; }

    /// <summary>
    /// Binds the answer to what was shown: another wish, client or set of tools in the meantime is another
    /// question, and two tabs cannot answer each other's.
    /// </summary>
    public string Purpose
    {
        get
        {
            var tools = Tools?.Select(tool => $"{tool.Name} {tool.Hash}") ?? [];
            var shown = string.Join('\n', [Wish.Id, Client.Hash ?? "", Resource.Value, Wish.Details ?? "", .. tools]);
            return "consent\n" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(shown)));
        }
    }

    /// <summary>What can be ticked: tools, or whole classes while the tools are not known.</summary>
    public IReadOnlyList<ToolChoice> Choices => Tools is not null
        ? [.. Tools.Select(Choice)]
        : [.. Risks.All.Where(risk => Asked.Has(risk.Scope)).Select(risk => new ToolChoice(ClassName(risk), risk))];

    /// <summary>What the client would learn of the person, beside a name to know them again by.</summary>
    public IReadOnlyList<ToldChoice> Told =>
    [
        .. Asks(Scopes.Profile)
            ? (ToldChoice[])[new(Scopes.Profile, "Your name", Person?.Name ?? "none is kept here")]
            : [],
        .. Asks(Scopes.Email)
            ? (ToldChoice[])[new(Scopes.Email, "Your e-mail address", Person?.Email ?? "")]
            : [],
    ];

    /// <summary>The scopes and tools that a set of ticks amounts to; null when nothing is left.</summary>
    /// <param name="ticked">The tools that were left on.</param>
    /// <param name="told">The scopes of what may be told of the person.</param>
    public Agreed? Narrow(IReadOnlyCollection<string> ticked, IReadOnlyCollection<string> told)
    {
        var besides = Asked.Intersect(Scopes.Of(Scopes.OfflineAccess, Scopes.OpenId))
            .With(Asked.Intersect(Scopes.Of(Told.Select(choice => choice.Scope).Where(told.Contains))));
        var claims = Wish.Claims?.Within(Scopes.Of(Told.Select(choice => choice.Scope).Where(told.Contains)));
        return Server is null ? new(besides, null, claims) : NarrowTools(ticked, besides, claims);
    }

    // As a scope, or claim by claim.
    private bool Asks(string scope) => Asked.Has(scope) || Wish.Claims?.Scopes.Has(scope) is true;

    private Agreed? NarrowTools(IReadOnlyCollection<string> ticked, Scopes besides, ClaimsWanted? claims)
    {
        var on = Choices.Where(choice => ticked.Contains(choice.Name)).ToList();
        if (on.Count is 0)
        {
            return null;
        }

        var scopes = Scopes.Of(on.Select(choice => choice.Risk).Distinct().Order().Select(risk => risk.Scope))
            .With(besides);
        var left = on.Select(choice => choice.Name).ToList();
        return new(scopes, Tools is null ? null : left, claims) { Details = Details?.For(left) };
    }

    /// <summary>
    /// What there is now and what became of it, for the next time; nothing while the tools are not known.
    /// </summary>
    public IEnumerable<OfferedTool> Offered(IReadOnlyList<string> left) =>
        (Catalogue ?? []).Select(tool => new OfferedTool(
            tool.Name, tool.Hash, Asked.Has(tool.Risk.Scope) ? left.Contains(tool.Name) : null));

    // Who agrees again begins where they left off: what they turned off then, and what did not exist then, does not
    // come on by itself. What destroys is off each time.
    private ToolChoice Choice(Tool tool)
    {
        var before = Before?.GetValueOrDefault(tool.Name);
        return new(tool.Name, tool.Risk, tool.Description ?? tool.Title)
        {
            IsOn = tool.Risk is not Risk.Destroy && (Before is null || before is { IsOn: not false }),
            IsNew = Before is not null && before is null,
            IsChanged = before is not null && before.Hash != tool.Hash,
        };
    }

    private static string ClassName(Risk risk) => $"Everything that can {risk.Word}";
}

/// <summary>What a person left on; <see cref="Tools"/> is null while only classes of them are known.</summary>
internal sealed record Agreed(Scopes Scopes, IReadOnlyList<string>? Tools, ClaimsWanted? Claims = null)
{
    /// <summary>What is left of what was asked for in detail.</summary>
    public Details? Details { get; init; }
}
