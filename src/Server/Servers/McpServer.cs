using System.Runtime.CompilerServices;
using Postern.Platform.Configuration;

namespace Postern.Servers;

/// <summary>How a server is reached.</summary>
internal enum ServerKind
{
    /// <summary>A remote server over Streamable HTTP.</summary>
    Http,

    /// <summary>A local command over its standard streams.</summary>
    Command,

    /// <summary>C# in this process.</summary>
    Native,
}

/// <summary>
/// An MCP server known to the gateway; its URL is a resource, the audience of tokens. Each registration is a server of
/// its own, equal to no other: what is known of one is not taken for what comes under its name.
/// </summary>
internal sealed record McpServer
{
    public required TenantId Tenant { get; init; }

    /// <summary>The last part of its address; lower-case letters, digits and hyphens.</summary>
    public required string Name { get; init; }

    /// <summary>What people see.</summary>
    public required string Title { get; init; }

    public required ServerKind Kind { get; init; }

    /// <summary>The address of a remote server.</summary>
    public Uri? Url { get; init; }

    /// <summary>The operator named the address in the configuration file, so it may be a private one.</summary>
    public bool IsConfigured { get; init; }

    /// <summary>Program and arguments of a local server.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    public SandboxSeed? Sandbox { get; init; }

    /// <summary>Takes only tokens that are bound to a key, each with a proof (RFC 9449).</summary>
    public bool RequiresDpop { get; init; }

    /// <summary>Takes only tokens that are bound to the certificate of the connection (RFC 8705 §3).</summary>
    public bool RequiresCertificate { get; init; }

    /// <summary>How its callers must have signed in (RFC 9470).</summary>
    public SignInDemands Demands { get; init; } = SignInDemands.None;

    /// <summary>What its tools do, by which its callers are held to details.</summary>
    public Declarations Declares { get; init; } = Declarations.None;

    /// <summary>Each call of a tool goes to it with a transaction token.</summary>
    public bool TakesTransactionTokens { get; init; }

    public TokenForm Token { get; init; } = TokenForm.Usual;

    /// <summary>Risk classes that win over what the server says of its tools.</summary>
    public IReadOnlyDictionary<string, Risk> Risks { get; init; } =
        new Dictionary<string, Risk>(StringComparer.Ordinal);

    /// <summary>What tokens for it are bound to: its public address, exactly as people type it.</summary>
    public required Resource Resource { get; init; }

    /// <summary>Its path at this server.</summary>
    public string Path => $"/mcp/{Name}";

    public bool Equals(McpServer? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}

/// <summary>What the access tokens of a server are like.</summary>
/// <param name="Life">How long they are good; null for as long as the tenant says.</param>
/// <param name="IsOpaque">They are references, and say nothing themselves.</param>
/// <param name="HasStatus">They name their place in a status list.</param>
internal sealed record TokenForm(TimeSpan? Life, bool IsOpaque, bool HasStatus)
{
    public static readonly TokenForm Usual = new(null, IsOpaque: false, HasStatus: false);

    public static TokenForm Of(TokenRules? rules) => rules is null
        ? Usual
        : new(
            rules.Lifetime is { } span ? Durations.Parse(span) : null,
            rules.Format is "opaque",
            rules.StatusList);
}

/// <summary>One operation of a server as it was last described.</summary>
/// <param name="Name">The name by which it is called; the policy knows it by this and the server.</param>
/// <param name="Title">What the server calls it for people; a claim, shown as one.</param>
/// <param name="Description">What the server says it does; a claim.</param>
/// <param name="Risk">The class that decides.</param>
/// <param name="Hash">Digest of the whole definition: a change is another tool.</param>
internal sealed record Tool(string Name, string? Title, string? Description, Risk Risk, string Hash);

/// <summary>All tools of a server, in the order it lists them.</summary>
internal sealed record ToolCatalogue(IReadOnlyList<Tool> Tools, DateTimeOffset SeenAt)
{
    public Tool? Find(string name)
    {
        foreach (var tool in Tools)
        {
            if (tool.Name == name)
            {
                return tool;
            }
        }

        return null;
    }

    /// <summary>The scopes that reach some tool, and reading always.</summary>
    public Scopes Scopes => Domain.Scopes.Of(Domain.Risks.All
        .Where(risk => risk is Risk.Read || Tools.Any(tool => tool.Risk == risk))
        .Select(risk => risk.Scope));
}
