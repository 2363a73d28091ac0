using Postern.Platform;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// <c>private_key_jwt</c> (RFC 7523 §3 with rfc7523bis): a statement that the client signed for this issuer, good once
/// and for minutes.
/// </summary>
internal sealed class ClientAssertion(ClientKeys keys, Once once, TimeProvider clock)
{
    /// <summary>What is served, in the metadata too.</summary>
    public static readonly string[] Algorithms = ["ES256", "PS256", "RS256"];

    /// <summary>How far ahead an assertion may expire.</summary>
    private static readonly TimeSpan MaxLife = TimeSpan.FromMinutes(5);

    private const int MaxId = 200;

    /// <summary>The client the assertion says it is from, not yet proven; null when it cannot be read.</summary>
    public static string? Claimed(string assertion) => ForeignToken.Read(assertion)?.Text("sub");

    /// <summary>Null when the assertion proves the client; else why not, for the log.</summary>
    public async ValueTask<string?> RefusalAsync(
        Tenant tenant, Client client, string assertion, CancellationToken stop)
    {
        if (ForeignToken.Read(assertion) is not { } token)
        {
            return "malformed assertion";
        }

        if (FormRefusal(token, client.Id.Value, tenant.Issuer) is { } refusal)
        {
            return $"assertion: {refusal}";
        }

        if (!await token.IsSignedByAsync(await keys.FindAsync(client, token.Kid, stop), AlgorithmsOf(client)))
        {
            return "assertion not signed by the client";
        }

        var until = clock.GetUtcNow() + MaxLife + ForeignToken.Skew;
        return await once.TakeAsync(tenant.Id, "assertion", $"{client.Id}\n{token.Text("jti")}", until)
            ? null
            : "assertion used again";
    }

    private static string[] AlgorithmsOf(Client client) =>
        [.. (client.IsFapi2 ? FapiProfile.Algorithms : Algorithms).Where(alg => (client.AssertionAlg ?? alg) == alg)];

    private string? FormRefusal(ForeignToken token, string client, string issuer) => token switch
    {
        { Typ: not (null or "jwt" or "client-authentication+jwt") } => "another kind of token",
        _ when token.Text("iss") != client || token.Text("sub") != client => "iss and sub are not the client",
        _ when token.Text("jti") is not { Length: > 0 and <= MaxId } => "no jti",
        _ when !token.IsOnlyFor(issuer) => "aud is not this issuer alone",
        _ => token.TimeRefusal(clock.GetUtcNow(), MaxLife),
    };
}
