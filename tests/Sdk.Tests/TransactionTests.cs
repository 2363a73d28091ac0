using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;
using Postern.AspNetCore.Transactions;

namespace Postern.AspNetCore.Tests;

/// <summary>Transaction tokens as a service behind a gateway judges them.</summary>
public sealed class TransactionTests : IDisposable
{
    private const string Domain = "inner.example";

    private readonly Issuer issuer = new();

    public static TheoryData<string> Bad =>
    [
        "no iss", "other iss", "no aud", "other aud", "list aud", "no exp", "past exp", "text exp", "no iat",
        "future iat", "no txn", "empty txn", "no sub", "no scope", "no req_wl", "number sub", "typ at+jwt", "typ jwt",
        "no typ", "alg none", "kid other", "signature", "jwk",
    ];

    public void Dispose() => issuer.Dispose();

    [Fact]
    public async Task A_good_one_says_for_whom_and_what_for()
    {
        var token = Assert.IsType<TransactionToken>(await JudgeAsync(Mint()));

        Assert.Equal(("txn_1", "user_1", "gateway"), (token.Id, token.Subject, token.Workload));
        Assert.Equal(["notes:read"], token.Scopes);
        Assert.Equal("txn_1", token.ToString());
        Assert.False(token.IsFor("look", "{}"u8));
    }

    [Theory, MemberData(nameof(Bad))]
    public async Task One_that_is_wrong_in_one_thing_is_refused(string what)
    {
        var refusal = Assert.IsType<TokenRefusal>(await JudgeAsync(Wrong(what)));

        Assert.Equal(("invalid_token", 401), (refusal.Code, refusal.Status));
    }

    [Fact]
    public async Task There_is_exactly_one()
    {
        Assert.IsType<TokenRefusal>(await JudgeAsync());
        Assert.IsType<TokenRefusal>(await JudgeAsync(""));
        Assert.IsType<TokenRefusal>(await JudgeAsync(Mint(), Mint()));
        Assert.IsType<TokenRefusal>(await JudgeAsync($"{Mint()}, {Mint()}"));
        Assert.IsType<TokenRefusal>(await JudgeAsync(new string('a', 9000)));
    }

    [Fact]
    public async Task The_validator_comes_with_the_services_where_a_trust_domain_is_named()
    {
        var services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(issuer.Clock);
        services.AddPostern(options =>
        {
            options.Issuer = Issuer.Name;
            options.Resource = Issuer.Resource;
            options.Keys = new LocalKeys(issuer.Keys);
            options.TrustDomain = Domain;
        });
        await using var built = services.BuildServiceProvider();
        var validator = built.GetRequiredService<TransactionTokenValidator>();

        Assert.IsType<TransactionToken>(await validator.ValidateAsync(Request(Mint())));
    }

    private string Wrong(string what) => what switch
    {
        "signature" => Mint()[..^4] + "AAAA",
        "alg none" => Mint(header: header => header["alg"] = "none"),
        "kid other" => Mint(header: header => header["kid"] = "other"),
        "jwk" => Mint(header: header => header["jwk"] = new JsonObject()),
        "typ at+jwt" => Mint(header: header => header["typ"] = "at+jwt"),
        "typ jwt" => Mint(header: header => header["typ"] = "JWT"),
        "no typ" => Mint(header: header => header.Remove("typ")),
        "other iss" => Mint(claims => claims["iss"] = "https://other.example"),
        "other aud" => Mint(claims => claims["aud"] = "outer.example"),
        "list aud" => Mint(claims => claims["aud"] = new JsonArray(Domain)),
        "past exp" => Mint(claims => claims["exp"] = issuer.Now - 5),
        "text exp" => Mint(claims => claims["exp"] = "soon"),
        "future iat" => Mint(claims => claims["iat"] = issuer.Now + 6),
        "empty txn" => Mint(claims => claims["txn"] = ""),
        "number sub" => Mint(claims => claims["sub"] = 1),
        _ => Mint(claims => claims.Remove(what["no ".Length..])),
    };

    private string Mint(Action<JsonObject>? change = null, Action<JsonObject>? header = null) => issuer.Mint(
        claims =>
        {
            claims.Clear();
            (claims["iss"], claims["aud"]) = (Issuer.Name, Domain);
            (claims["sub"], claims["scope"], claims["txn"]) = ("user_1", "notes:read", "txn_1");
            (claims["req_wl"], claims["iat"], claims["exp"]) = ("gateway", issuer.Now, issuer.Now + 60);
            change?.Invoke(claims);
        },
        made =>
        {
            made["typ"] = "txntoken+jwt";
            header?.Invoke(made);
        });

    private ValueTask<TokenOutcome> JudgeAsync(params string[] tokens) =>
        new TransactionTokenValidator(Issuer.Name, Domain, new LocalKeys(issuer.Keys), issuer.Clock)
            .ValidateAsync(Request(tokens));

    private static HttpRequest Request(params string[] tokens)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers[TransactionTokenValidator.HeaderName] = tokens;
        return http.Request;
    }
}
