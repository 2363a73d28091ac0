using System.Net;
using System.Text.Json;

namespace Postern.Tests.OAuth;

/// <summary>
/// Whatever the server says of itself is used once: each value of each member, of the authorization server and of a
/// resource. Who advertises something new adds its line to <see cref="Advertised"/>.
/// </summary>
public sealed class WalkedMetadataTests(WalkTown town) : IClassFixture<WalkTown>
{
    private static readonly string[] Documents =
        ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

    public static TheoryData<string> Values => [.. Advertised.Uses.Keys];

    [Theory, MemberData(nameof(Values)), Rfc(8414, "2")]
    [Rfc("OpenID Connect Discovery", "3")]
    public Task What_is_advertised_is_there(string value) => Advertised.Uses[value](new(town));

    [Fact, Rfc(8414, "2"), Rfc(9728, "2")]
    public async Task Nothing_is_advertised_that_nobody_has_used()
    {
        var said = new List<string>();
        foreach (var document in Documents)
        {
            said.AddRange(Flat(await ReadAsync(document)));
        }

        said.AddRange(Flat(await ReadAsync("/.well-known/oauth-protected-resource/mcp/echo"), "resource: "));

        Assert.Equal(Advertised.Uses.Keys.Order(StringComparer.Ordinal), said.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact, Rfc(8414, "3")]
    public async Task Both_places_say_the_same() =>
        Assert.Equal((await ReadAsync(Documents[0])).GetRawText(), (await ReadAsync(Documents[1])).GetRawText());

    private IEnumerable<string> Flat(JsonElement document, string place = "") =>
        from member in document.EnumerateObject()
        from value in member.Value.ValueKind switch
        {
            JsonValueKind.Array => member.Value.EnumerateArray().Select(item => item.ToString()),
            JsonValueKind.Object => member.Value.EnumerateObject().Select(item => item.Name),
            _ => [member.Value.ToString().Replace("True", "true").Replace("False", "false")],
        }
        select $"{place}{member.Name} {value.Replace(town.Server.Issuer, "ISSUER", StringComparison.Ordinal)}";

    private async Task<JsonElement> ReadAsync(string path)
    {
        using var answer = await town.Server.Http.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync());
    }
}
