using System.Text.Json;
using System.Text.Json.Serialization;

namespace Postern.Grants;

/// <summary>
/// Who a person is, told once more by an agreement that stands. It travels in the code: nothing is written down before
/// the client has proven itself, since any page can send a browser here.
/// </summary>
/// <param name="Before">The grant that a person agreed to.</param>
/// <param name="Scope">What is told this time.</param>
/// <param name="Claims">One by one.</param>
/// <param name="AuthTime">When the person proved who they are; Unix seconds.</param>
/// <param name="Acr">How strongly.</param>
/// <param name="Sid">What the client calls the session.</param>
/// <param name="Network">Where the browser is, for the log.</param>
internal sealed partial record Repeat(
    string Before, string Scope, ClaimsWanted? Claims, long AuthTime, string Acr, string Sid, string? Network)
{
    public string ToJson() => JsonSerializer.Serialize(this, RepeatJson.Default.Repeat);

    public static Repeat Of(string json) => JsonSerializer.Deserialize(json, RepeatJson.Default.Repeat)!;

    /// <summary>The grant that it becomes.</summary>
    public Grant Of(Grant before, GrantId id, DateTimeOffset now) => before with
    {
        Id = id,
        Scopes = Scopes.TryParse(Scope, out var asked) ? asked : Scopes.None,
        Claims = Claims,
        AuthTime = DateTimeOffset.FromUnixTimeSeconds(AuthTime),
        Acr = Acr,
        Sid = Sid,
        CreatedAt = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()),
    };

    [JsonSerializable(typeof(Repeat))]
    private sealed partial class RepeatJson : JsonSerializerContext;
}
