namespace Postern.Platform.Configuration;

/// <summary>An MCP server named in the configuration.</summary>
internal sealed record ServerSeed
{
    public required string Name { get; init; }

    public required string? Title { get; init; }

    public required Uri? Http { get; init; }

    public required IReadOnlyList<string> Command { get; init; }

    public required SandboxSeed Sandbox { get; init; }

    public required bool RequiresDpop { get; init; }

    public required bool RequiresCertificate { get; init; }

    /// <summary>How its callers must have signed in.</summary>
    public required RequireSeed Require { get; init; }

    /// <summary>Each call of a tool goes to it with a transaction token.</summary>
    public required bool TransactionTokens { get; init; }

    public required TokenRules Token { get; init; }

    /// <summary>What its tools do, so that details can be kept.</summary>
    public required IReadOnlyList<DeclarationSeed> Declares { get; init; }

    /// <summary>Risk classes that win over what the server says of its tools.</summary>
    public required IReadOnlyDictionary<string, string> Tools { get; init; }

    public static ServerSeed Read(SettingsNode node)
    {
        var (sandbox, require, token) = (node.Group("sandbox"), node.Group("require"), node.Group("token"));
        var seed = new ServerSeed
        {
            Name = node.Value<string>(
                "name",
                "Its name, the last part of its address.",
                null,
                "1 to 40 lower-case letters, digits and hyphens",
                text => IsName(text) ? text : null) ?? throw node.Refuse("`servers[].name` is missing"),
            Title = node.Text("title", "What people see."),
            Http = node.Value<Uri>(
                "http", "The address of a remote server.", null, "http(s)://HOST/PATH", SettingsReader.ParseHttp),
            Command = node.List("command", "The program of a local server and its arguments.", "text", text => text),
            Sandbox = SandboxSeed.Read(sandbox),
            RequiresDpop = node.Flag("require_dpop", "Takes only tokens that are bound to a key (RFC 9449).", false),
            RequiresCertificate = node.Flag(
                "require_certificate", "Takes only tokens that are bound to a certificate (RFC 8705).", false),
            Require = RequireSeed.OfServer(require),
            TransactionTokens = node.Flag(
                "transaction_tokens",
                "Each call of a tool goes to it with a transaction token of `trust_domain`; for remote servers.",
                false),
            Token = TokenRules.Read(token),
            Declares = node.Groups("declares", "name", DeclarationSeed.Read),
            Tools = node.Map(
                "tools",
                "Risk classes that win over what the server says.",
                "read, change or destroy",
                text => Risks.Parse(text) is null ? null : text),
        };
        sandbox.Close();
        require.Close();
        token.Close();
        if (seed.Declares.Count > DeclarationSeed.MostTools)
        {
            throw node.Refuse($"server `{seed.Name}` declares more than {DeclarationSeed.MostTools} tools");
        }

        if (seed is { TransactionTokens: true, Http: null })
        {
            throw node.Refuse("transaction_tokens", "false for a command: the token goes in a header");
        }

        if (seed is { RequiresDpop: true, RequiresCertificate: true })
        {
            throw node.Refuse($"server `{seed.Name}`: a token is bound to a key or to a certificate, not to both");
        }

        return (seed.Http is not null) == (seed.Command.Count > 0)
            ? throw node.Refuse($"server `{seed.Name}` needs either `http` or `command`")
            : seed;
    }

    public static bool IsName(string text) =>
        text.Length is >= 1 and <= 40
        && text.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9' or '-')
        && text[0] is not '-' && text[^1] is not '-';
}
