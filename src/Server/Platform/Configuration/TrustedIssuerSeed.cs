namespace Postern.Platform.Configuration;

/// <summary>Somebody whose assertions are taken for grants (RFC 7523), named in the configuration.</summary>
internal sealed record TrustedIssuerSeed
{
    /// <summary>Equal, as text, to the <c>iss</c> of its assertions.</summary>
    public required string Issuer { get; init; }

    /// <summary><c>idp</c>, <c>authorization_server</c> or <c>workload</c>.</summary>
    public required string Kind { get; init; }

    public required bool IsEnabled { get; init; }

    public required string? Organization { get; init; }

    public required string? Jwks { get; init; }

    public required string? JwksUri { get; init; }

    public required IReadOnlyList<string> Algorithms { get; init; }

    /// <summary>Names of servers.</summary>
    public required IReadOnlyList<string> Resources { get; init; }

    public required string Scope { get; init; }

    /// <summary>The clients for which it may speak; all that may use the grant when there are none.</summary>
    public required IReadOnlyList<string> Clients { get; init; }

    public required IReadOnlyDictionary<string, string> Claims { get; init; }

    public required IReadOnlyList<string> EmailDomains { get; init; }

    public required bool VerifiesAddresses { get; init; }

    public required bool MakesUsers { get; init; }

    public required bool TakesTokenEndpoint { get; init; }

    public required bool IsSingleUse { get; init; }

    public required TimeSpan Lifetime { get; init; }

    public static TrustedIssuerSeed Read(SettingsNode node)
    {
        var seed = new TrustedIssuerSeed
        {
            Issuer = node.Required("issuer", "The issuer of the assertions, as they name it.", "an https URL"),
            Kind = node.Value(
                "kind",
                "What its assertions are taken for: a person's (ID-JAG), another server's (chaining), or a workload's.",
                null,
                "idp, authorization_server or workload",
                text => text is "idp" or "authorization_server" or "workload" ? text : null)
                ?? throw node.Refuse("`trusted_issuers[].kind` is missing"),
            IsEnabled = node.Flag("enabled", "Whether its assertions are taken now.", true),
            Organization = OrganizationSeed.Membership(node),
            Jwks = node.Text("jwks", "Its public keys, a JSON Web Key Set.", null, "JSON"),
            JwksUri = node.Text(
                "jwks_uri", "Where its public keys are; left out, its metadata is asked.", null, "an https URL"),
            Algorithms = node.List(
                "algorithms",
                "By which it signs; all that are served when left out.",
                "ES256, PS256 or RS256",
                text => text is "ES256" or "PS256" or "RS256" ? text : null),
            Resources = node.List(
                "resources", "The servers that its assertions reach.", "a server's name", text => text),
            Scope = node.Required("scope", "The most that its assertions reach.", "scopes with spaces between"),
            Clients = node.List(
                "clients",
                "The clients for which it may speak; left out, all that may use the grant.",
                "a client_id",
                text => text),
            Claims = node.Map(
                "claims",
                "Claims that an assertion must have; a last * stands for any rest.",
                "the value",
                text => text),
            EmailDomains = node.List(
                "email_domains",
                "Domains of which it alone says whose an address is; needed to know a person at first sight.",
                "a domain",
                text => text.ToLowerInvariant()),
            VerifiesAddresses = node.Flag(
                "verifies_addresses",
                "An address of which it does not say `email_verified` counts as verified, but for administrators.",
                false),
            MakesUsers = node.Flag("makes_users", "Makes an account for a person who has none yet.", false),
            TakesTokenEndpoint = node.Flag(
                "takes_token_endpoint", "The token endpoint counts as audience, beside the issuer.", false),
            IsSingleUse = node.Flag(
                "single_use", "An assertion has a jti and is good once; else until it expires.", true),
            Lifetime = node.Duration(
                "lifetime",
                "How far ahead an assertion may expire.",
                "5m",
                TimeSpan.FromMinutes(1),
                TimeSpan.FromHours(24)),
        };
        return seed.Resources.Count > 0
            ? seed
            : throw node.Refuse($"trusted issuer `{seed.Issuer}` needs `resources`");
    }
}
