namespace Postern.Platform.Configuration;

/// <summary>Somebody who says which copies of a client are genuine, named in the configuration.</summary>
internal sealed record TrustedAttesterSeed
{
    /// <summary>What it calls itself in <c>iss</c>, where its attestations have one.</summary>
    public required string Issuer { get; init; }

    public required bool IsEnabled { get; init; }

    public required string? Jwks { get; init; }

    public required string? JwksUri { get; init; }

    /// <summary>The clients whose copies it may vouch for.</summary>
    public required IReadOnlyList<string> Clients { get; init; }

    /// <summary>How old an attestation may be.</summary>
    public required TimeSpan Lifetime { get; init; }

    public static TrustedAttesterSeed Read(SettingsNode node)
    {
        var seed = new TrustedAttesterSeed
        {
            Issuer = node.Required("issuer", "The attester, as its attestations name it if they do.", "a text"),
            IsEnabled = node.Flag("enabled", "Whether its attestations are taken now.", true),
            Jwks = node.Text("jwks", "Its public keys, a JSON Web Key Set.", null, "JSON"),
            JwksUri = node.Text("jwks_uri", "Where its public keys are.", null, "an https URL"),
            Clients = node.List("clients", "The clients whose copies it vouches for.", "a client_id", text => text),
            Lifetime = node.Duration(
                "lifetime",
                "How old an attestation may be; one that does not say, how long it may still last.",
                "24h",
                TimeSpan.FromMinutes(1),
                TimeSpan.FromDays(365)),
        };
        if (seed is { Jwks: null, JwksUri: null })
        {
            throw node.Refuse($"trusted attester `{seed.Issuer}` needs `jwks` or `jwks_uri`");
        }

        return seed.Clients.Count > 0
            ? seed
            : throw node.Refuse($"trusted attester `{seed.Issuer}` needs `clients`");
    }
}
