using System.Net;

namespace Postern.Tests.OAuth;

/// <summary>
/// A value made for one purpose is nothing in every other place (RFC 8725 §3.11, RFC 9700 §4). What is made is listed
/// in <see cref="Artefacts"/>, where it could be put in <see cref="ArtefactPlaces"/>.
/// </summary>
public sealed class ArtefactTests(StrictTown town) : IClassFixture<StrictTown>
{
    private const string Urn = "urn:ietf:params:oauth:request_uri:";

    public static TheoryData<string> Kinds => [.. Artefacts.Makers.Keys];

    [Theory, MemberData(nameof(Kinds)), Rfc(8725, "3.11")]
    public async Task Every_artefact_is_refused_in_every_place_that_is_not_its_own(string kind)
    {
        var made = await Artefacts.MakeAsync(town);
        var value = await Artefacts.Makers[kind](made);
        Assert.NotEmpty(value);
        var places = new ArtefactPlaces(town, made);

        foreach (var (place, isRefusedAsync) in ArtefactPlaces.All)
        {
            foreach (var text in TextsOf(kind, value, place))
            {
                Assert.True(await isRefusedAsync(places, text), $"{kind} as {place}: {text}");
            }
        }

        // None of it has done any harm.
        Assert.Equal(HttpStatusCode.OK, (await made.App.RedeemAsync(made.Code)).Status);
        Assert.Equal(HttpStatusCode.OK, (await made.App.RefreshAsync(made.Tokens.RefreshToken)).Status);
    }

    // Or a place that refuses everything would pass for one that tells them apart.
    [Theory]
    [InlineData("code"), InlineData("refresh_token"), InlineData("client_assertion"), InlineData("assertion")]
    [InlineData("device_code"), InlineData("auth_req_id"), InlineData("deferral_code")]
    [InlineData("nonce", "nonce challenge")]
    [InlineData("userinfo_token"), InlineData("admin_token"), InlineData("request_uri"), InlineData("request")]
    [InlineData("backchannel_request"), InlineData("transaction"), InlineData("form"), InlineData("session")]
    [InlineData("attestation"), InlineData("challenge", "challenge nonce"), InlineData("jwt_svid")]
    [InlineData("user_code"), InlineData("id_token", "id_token hint")]
    [InlineData("access_token", "token access_token reference_token")]
    [InlineData("access_token", "access_token at a server"), InlineData("request", "request that is pushed")]
    public async Task What_is_at_home_is_taken(string kind, string? place = null)
    {
        var made = await Artefacts.MakeAsync(town);
        var value = await Artefacts.Makers[kind](made);

        Assert.False(await ArtefactPlaces.All[place ?? kind](new(town, made), value), $"{kind}: {value}");
    }

    // Behind the marks of the others too, without its own, and as it is where it does not belong.
    private static IEnumerable<string> TextsOf(string kind, string value, string place)
    {
        var bare = kind is "request_uri" ? value[Urn.Length..] : value[4..];
        string[] texts = ["pac_" + value, "prt_" + value, Urn + value, bare];
        return place.Split(' ').Contains(kind) ? texts : [.. texts, value];
    }
}
