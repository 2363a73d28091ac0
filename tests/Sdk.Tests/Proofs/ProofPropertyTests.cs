using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Proofs;

namespace Postern.AspNetCore.Tests.Proofs;

/// <summary>Whatever stands in the header, the judge of proofs answers, and takes no proof that was touched.</summary>
public sealed class ProofPropertyTests : IDisposable
{
    private const string Url = "https://api.example/notes";

    private readonly FakeClock clock = new();
    private readonly DpopKey key = new();
    private readonly ProofValidator validator;

    public ProofPropertyTests()
    {
        clock.Advance(TimeSpan.FromMinutes(1));
        validator = new(clock, new(new byte[32], clock));
        // What was used before it began it cannot know.
        clock.Advance(TimeSpan.FromMinutes(5));
    }

    public void Dispose() => key.Dispose();

    private ProofAsk Ask => new("POST", Url, clock.GetUtcNow().ToUnixTimeSeconds());

    [Fact]
    public void No_text_makes_the_judge_throw() =>
        Prop.ForAll<string>(text => IsRefused(text ?? "")).QuickCheckThrowOnFailure();

    [Fact]
    public void No_signed_bytes_make_the_judge_throw() => Prop.ForAll<byte[]>(bytes =>
        IsRefused(key.Sign(key.Header.ToJsonString(), Encoding.Latin1.GetString(bytes)))).QuickCheckThrowOnFailure();

    [Fact]
    public void No_bytes_in_the_header_make_the_judge_throw() => Prop.ForAll<byte[]>(bytes =>
        IsRefused(key.Sign(Encoding.Latin1.GetString(bytes), DpopKey.Claims(Ask).ToJsonString())))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void No_value_of_any_member_makes_the_judge_throw()
    {
        string[] names = ["typ", "alg", "jwk", "jti", "htm", "htu", "iat", "ath", "nonce", "exp", "crit", "kid"];
        string[] values = ["null", "true", "0", "-1", "1e999", "\"\"", "\"\\ud800\"", "[]", "[1]", "{}", "{\"kty\":1}"];
        foreach (var (name, value) in from name in names from value in values select (name, value))
        {
            var (header, claims) = (key.Header, DpopKey.Claims(Ask));
            (header.ContainsKey(name) || name is "crit" or "kid" ? header : claims)[name] = null;
            var text = key.Sign(With(header, name, value), With(claims, name, value));
            Assert.NotNull(Judge(text));
        }
    }

    [Fact]
    public void Any_single_changed_character_ends_a_proof()
    {
        var proof = key.Proof(Ask);
        var places = Gen.Choose(0, proof.Length - 1).Zip(Gen.Choose(0, 127)).Where(p => proof[p.Item1] != p.Item2);

        Prop.ForAll(places.ToArbitrary(), place =>
            IsRefused(proof[..place.Item1] + (char)place.Item2 + proof[(place.Item1 + 1)..]))
            .QuickCheckThrowOnFailure();
    }

    private static string With(JsonObject json, string name, string value) =>
        json.ToJsonString().Replace($"\"{name}\":null", $"\"{name}\":{value}", StringComparison.Ordinal);

    private bool IsRefused(string header) => Judge(header) is TokenRefusal;

    // Nobody else is asked, so it never waits.
    private TokenOutcome Judge(string header) =>
        validator.ValidateAsync(header, new("POST", Url)).AsTask() is { IsCompletedSuccessfully: true } done
            ? done.Result
            : throw new InvalidOperationException("The judge threw or waited.");
}
