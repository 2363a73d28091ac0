using System.Text.Json;

namespace Postern.OAuth.Requests;

/// <summary>
/// The <c>claims</c> parameter (OpenID Connect Core §5.5): what is known here of it, and nothing else.
/// </summary>
/// <param name="Wanted">What is to be told of the person; null for nothing.</param>
/// <param name="AcrValues">How strongly they must have signed in, any of these; null for no matter.</param>
/// <param name="Subject">Who they must be, by the client's name for them.</param>
internal sealed record ClaimsRequest(ClaimsWanted? Wanted, IReadOnlyList<string>? AcrValues, string? Subject)
{
    public static readonly ClaimsRequest None = new(null, null, null);

    private const int MaxDepth = 5;

    /// <summary>Null for what is no request for claims.</summary>
    public static ClaimsRequest? Parse(string? text)
    {
        if (text is null)
        {
            return None;
        }

        if (StrictJson.Read(text, MaxDepth) is not { ValueKind: JsonValueKind.Object } json)
        {
            return null;
        }

        var (token, info) = (Member(json, "id_token"), Member(json, "userinfo"));
        return IsRequest(token) && IsRequest(info) ? Of(token, info) : null;
    }

    private static ClaimsRequest Of(JsonElement token, JsonElement info)
    {
        var wanted = new ClaimsWanted(Known(token), Known(info));
        var (one, other) = (Essential(Member(token, "acr")), Essential(Member(info, "acr")));
        return new(
            wanted.IdToken.Count + wanted.UserInfo.Count > 0 ? wanted : null,
            one is not null && other is not null ? [.. one.Intersect(other)] : one ?? other,
            Values(Member(token, "sub")).Concat(Values(Member(info, "sub"))).FirstOrDefault());
    }

    private static List<string> Known(JsonElement claims) => claims.ValueKind is JsonValueKind.Object
        ? [.. ClaimsWanted.Scope.Keys.Where(name => claims.TryGetProperty(name, out _))]
        : [];

    // §5.5.1.1: only an essential one must be met, by one of the values if it names any.
    private static List<string>? Essential(JsonElement claim) =>
        Member(claim, "essential").ValueKind is JsonValueKind.True && Values(claim) is { Count: > 0 } values
            ? values
            : null;

    private static bool IsRequest(JsonElement claims) => claims.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => true,
        JsonValueKind.Object => claims.EnumerateObject().All(claim => IsClaim(claim.Value, claim.Name)),
        _ => false,
    };

    // §5.5.1: each claim is null, or an object that says more. What a sign-in is held to has to be understood.
    private static bool IsClaim(JsonElement claim, string name) =>
        claim.ValueKind is JsonValueKind.Null
        || (claim.ValueKind is JsonValueKind.Object
            && Member(claim, "essential").ValueKind
                is JsonValueKind.Undefined or JsonValueKind.True or JsonValueKind.False
            && (name is not ("acr" or "sub") || AreTexts(Member(claim, "value"), Member(claim, "values"))));

    private static bool AreTexts(JsonElement value, JsonElement values) => (value.ValueKind, values.ValueKind) switch
    {
        (JsonValueKind.Undefined, JsonValueKind.Undefined) or (JsonValueKind.String, JsonValueKind.Undefined) => true,
        (JsonValueKind.Undefined, JsonValueKind.Array) => values.GetArrayLength() > 0
            && values.EnumerateArray().All(item => item.ValueKind is JsonValueKind.String),
        _ => false,
    };

    private static List<string> Values(JsonElement claim) =>
        (Member(claim, "value"), Member(claim, "values")) switch
        {
            ({ ValueKind: JsonValueKind.String } one, _) => [one.GetString()!],
            (_, { ValueKind: JsonValueKind.Array } several) =>
                [.. several.EnumerateArray().Where(item => item.ValueKind is JsonValueKind.String)
                    .Select(item => item.GetString()!)],
            _ => [],
        };

    private static JsonElement Member(JsonElement json, string name) =>
        json.ValueKind is JsonValueKind.Object && json.TryGetProperty(name, out var member) ? member : default;
}
