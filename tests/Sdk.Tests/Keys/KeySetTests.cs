using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Tests.Keys;

public sealed class KeySetTests : IDisposable
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose() => key.Dispose();

    [Theory]
    [InlineData("use", "enc")]
    [InlineData("kty", "oct")]
    [InlineData("crv", "P-384")]
    [InlineData("alg", "ES384")]
    [InlineData("kid", null)]
    public void A_key_of_no_use_here_is_passed_over(string member, string? value) =>
        Assert.Null(Parse(With(member, value))["k"]);

    [Theory]
    [InlineData("d", "AAAA")]
    [InlineData("x", null)]
    [InlineData("x", "!")]
    [InlineData("x", "AAAA")]
    [InlineData("y", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void A_malformed_or_private_key_spoils_the_set(string member, string? value) =>
        Assert.Throws<FormatException>(() => Parse(With(member, value)));

    [Fact]
    public void A_kid_names_one_key() =>
        Assert.Throws<FormatException>(() => Parse(With("use", "sig"), With("alg", "ES256")));

    [Fact]
    public void A_set_has_at_most_a_hundred_keys() => Assert.Throws<FormatException>(() =>
        Parse([.. Enumerable.Range(0, 101).Select(n => With("kid", $"k{n}"))]));

    [Theory]
    [InlineData(1024)]
    [InlineData(8192)]
    public void A_modulus_of_unusual_length_is_refused(int bits) => Assert.Throws<ArgumentException>(() =>
        VerificationKey.FromRsa("k", new() { Modulus = new byte[bits / 8], Exponent = [1, 0, 1] }));

    [Fact]
    public void Another_curve_is_refused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);

        Assert.Throws<ArgumentException>(() => VerificationKey.FromEcdsa("k", other.ExportParameters(false)));
    }

    [Fact]
    public void A_key_set_throws_nothing_but_what_it_says() => Prop.ForAll<byte[]>(bytes =>
        Record.Exception(() => KeySet.Parse(bytes)) is null or FormatException).QuickCheckThrowOnFailure();

    private JsonNode With(string member, string? value)
    {
        var jwk = IssuerServer.Jwk("k", key);
        jwk[member] = value;
        if (value is null)
        {
            jwk.AsObject().Remove(member);
        }

        return jwk;
    }

    private static KeySet Parse(params JsonNode[] keys) =>
        KeySet.Parse(Encoding.UTF8.GetBytes(new JsonObject { ["keys"] = new JsonArray(keys) }.ToJsonString()));
}
