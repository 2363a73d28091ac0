using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Tests.AccessTokens;

public sealed class PropertyTests : IDisposable
{
    private readonly Issuer issuer = new();
    private readonly AccessTokenValidator validator;

    public PropertyTests() => validator = new(Issuer.Name, new LocalKeys(issuer.Keys), issuer.Clock);

    public void Dispose() => issuer.Dispose();

    [Fact]
    public void No_text_makes_the_validator_throw() =>
        Prop.ForAll<string>(text => IsRefused(text ?? "")).QuickCheckThrowOnFailure();

    [Fact]
    public void No_bytes_in_the_header_make_the_validator_throw() => Prop.ForAll<byte[]>(bytes =>
        IsRefused($"{Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_')}.e30.AAAA"))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void No_signed_bytes_make_the_validator_throw() => Prop.ForAll<byte[]>(bytes =>
        IsRefused(issuer.Sign(Issuer.Header.ToJsonString(), Encoding.Latin1.GetString(bytes))))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void No_value_of_any_claim_makes_the_validator_throw()
    {
        string[] names =
        [
            "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "cnf", "act",
            "authorization_details", "auth_time", "acr", "sid", "txn", "grant_id",
        ];
        string[] values =
        [
            "null", "true", "0", "-1", "1.5", "1e999", "99999999999999999999", "253402300800", "\"\"", "\"x\"",
            "\"\\ud800\"", "\"\\u0000\"", "[]", "[1]", "[[]]", "{}", "{\"sub\":1}", "{\"sub\":\"\\udfff\"}",
            "[{\"type\":null}]", "[{\"type\":\"\\udfff\"}]", "[{}]", "{\"\\ud800\":1}",
        ];

        foreach (var (name, value) in from name in names from value in values select (name, value))
        {
            var claims = issuer.Claims;
            claims.Remove(name);
            var json = claims.ToJsonString().Insert(1, $"\"{name}\":{value},");
            Assert.NotNull(Judge(issuer.Sign(Issuer.Header.ToJsonString(), json)));
        }
    }

    [Fact]
    public void Any_single_changed_character_ends_a_token()
    {
        var token = issuer.Mint();
        var places = Gen.Choose(0, token.Length - 1).Zip(Gen.Choose(0, 127)).Where(p => token[p.Item1] != p.Item2);

        Prop.ForAll(places.ToArbitrary(), place =>
            IsRefused(token[..place.Item1] + (char)place.Item2 + token[(place.Item1 + 1)..]))
            .QuickCheckThrowOnFailure();
    }

    private bool IsRefused(string token) => Judge(token) is TokenRefusal;

    // The keys are at hand, so it never waits.
    private TokenOutcome Judge(string token) =>
        validator.ValidateAsync(token, Issuer.Resource).AsTask() is { IsCompletedSuccessfully: true } done
            ? done.Result
            : throw new InvalidOperationException("The validator threw or waited.");
}
