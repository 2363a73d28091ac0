using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Cli.Try;

/// <summary>
/// One authorization request (OAuth 2.1 §4.1): the address that is opened, and what only its asker knows.
/// </summary>
internal sealed class AuthorizationQuestion(IssuerFacts issuer, string client, Uri callback, ResourceFacts resource)
{
    private readonly string verifier = Random(), state = Random();

    public IssuerFacts Issuer => issuer;

    public Uri Address => new($"{issuer.Authorization}?{Query(new()
    {
        ["response_type"] = "code",
        ["client_id"] = client,
        ["redirect_uri"] = callback.AbsoluteUri,
        ["scope"] = resource.Scope,
        ["state"] = state,
        ["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))),
        ["code_challenge_method"] = "S256",
        ["resource"] = resource.Resource,
    })}");

    /// <summary>The code in an answer, if it is an answer to this question from the one who was asked.</summary>
    public string Read(Uri answer)
    {
        var parameters = Parameters(answer);
        // RFC 9700 §4.7 and RFC 9207 §2.4: before anything else in it is believed.
        if (parameters.GetValueOrDefault("state") != state || parameters.GetValueOrDefault("iss") != issuer.Issuer)
        {
            throw new RefusalException("The answer does not belong to our question: its state or its issuer is "
                + "another.");
        }

        return parameters.GetValueOrDefault("code") ?? throw new RefusalException(
            $"{parameters.GetValueOrDefault("error")}: {parameters.GetValueOrDefault("error_description")}");
    }

    public Dictionary<string, string> Redemption(string code) => new()
    {
        ["grant_type"] = "authorization_code",
        ["code"] = code,
        ["redirect_uri"] = callback.AbsoluteUri,
        ["client_id"] = client,
        ["code_verifier"] = verifier,
        ["resource"] = resource.Resource,
    };

    private static Dictionary<string, string> Parameters(Uri answer)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in answer.Query.TrimStart('?').Split('&'))
        {
            var parts = pair.Split('=', 2);
            if (!parameters.TryAdd(parts[0], parts is [_, var value] ? Uri.UnescapeDataString(value) : ""))
            {
                throw new RefusalException($"The answer has `{parts[0]}` twice.");
            }
        }

        return parameters;
    }

    private static string Query(Dictionary<string, string> parameters) =>
        string.Join('&', parameters.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"));

    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}
