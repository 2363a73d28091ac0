using System.Diagnostics;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;

namespace Postern.AspNetCore.Tests.AccessTokens;

public sealed class RememberedTokenTests : IDisposable
{
    private readonly Issuer issuer = new();
    private readonly LocalKeys keys;

    public RememberedTokenTests() => keys = new(issuer.Keys);

    public void Dispose() => issuer.Dispose();

    [Fact]
    public async Task A_remembered_token_still_ends()
    {
        var (validator, token) = (Validator(), issuer.Mint());
        Assert.IsType<AccessToken>(await validator.ValidateAsync(token, Issuer.Resource));

        issuer.Clock.Advance(TimeSpan.FromSeconds(629));
        Assert.IsType<AccessToken>(await validator.ValidateAsync(token, Issuer.Resource));

        issuer.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<TokenRefusal>(await validator.ValidateAsync(token, Issuer.Resource));
    }

    [Fact]
    public async Task A_remembered_token_is_good_at_no_other_resource()
    {
        var (validator, token) = (Validator(), issuer.Mint());
        Assert.IsType<AccessToken>(await validator.ValidateAsync(token, Issuer.Resource));

        Assert.IsType<TokenRefusal>(await validator.ValidateAsync(token, "https://api.example/other"));
    }

    [Fact]
    public async Task The_tokens_of_a_withdrawn_key_end_at_once()
    {
        var (validator, token) = (Validator(), issuer.Mint());
        var before = Assert.IsType<AccessToken>(await validator.ValidateAsync(token, Issuer.Resource));
        Assert.Same(before, await validator.ValidateAsync(token, Issuer.Resource));

        keys.Replace(new(VerificationKey.FromRsa(Issuer.RsaId, issuer.Rsa.ExportParameters(false))));
        Assert.IsType<TokenRefusal>(await validator.ValidateAsync(token, Issuer.Resource));

        keys.Replace(issuer.Keys);
        Assert.IsType<AccessToken>(await validator.ValidateAsync(token, Issuer.Resource));
    }

    [Fact]
    public async Task A_token_that_differs_anywhere_from_a_remembered_one_is_another()
    {
        var (validator, token) = (Validator(), issuer.Mint());
        Assert.IsType<AccessToken>(await validator.ValidateAsync(token, Issuer.Resource));

        for (var at = 0; at < token.Length; at++)
        {
            var changed = token[..at] + (token[at] is 'A' ? 'B' : 'A') + token[(at + 1)..];
            Assert.IsType<TokenRefusal>(await validator.ValidateAsync(changed, Issuer.Resource));
            Assert.IsType<TokenRefusal>(await validator.ValidateAsync(token.AsSpan(at + 1), Issuer.Resource));
        }
    }

    [Fact]
    public async Task The_grant_is_asked_about_at_every_use()
    {
        string? ended = null;
        var validator = new AccessTokenValidator(Issuer.Name, keys, issuer.Clock)
        {
            Liveness = (token, _) => new(token.GrantId is "gr_1" ? ended : "unknown"),
        };
        var text = issuer.Mint();
        Assert.IsType<AccessToken>(await validator.ValidateAsync(text, Issuer.Resource));

        ended = "frozen";

        var refusal = Assert.IsType<TokenRefusal>(await validator.ValidateAsync(text, Issuer.Resource));
        Assert.Equal("grant: frozen", refusal.Reason);
    }

    [Fact]
    public async Task A_cache_too_small_for_its_tokens_never_mixes_them_up()
    {
        var validator = Validator(cached: 4);
        var tokens = Enumerable.Range(0, 50).ToDictionary(n => issuer.Mint(c => c["jti"] = $"t{n}"), n => $"t{n}");

        await Parallel.ForEachAsync(Enumerable.Repeat(tokens, 20).SelectMany(all => all), async (pair, stop) =>
        {
            var token = Assert.IsType<AccessToken>(await validator.ValidateAsync(pair.Key, Issuer.Resource, stop));
            Assert.Equal(pair.Value, token.Id);
        });
    }

    [Fact]
    public async Task Under_rotation_a_token_is_taken_only_while_its_key_is_there()
    {
        using var other = new Issuer();
        KeySet mine = issuer.Keys, theirs = other.Keys;
        var (validator, token) = (Validator(), issuer.Mint());
        using var done = new CancellationTokenSource();
        var users = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                await validator.ValidateAsync(token, Issuer.Resource);
            }
        })).ToArray();

        for (var round = 0; round < 50; round++)
        {
            keys.Replace(theirs);
            Assert.IsType<TokenRefusal>(await validator.ValidateAsync(token, Issuer.Resource));
            keys.Replace(mine);
            Assert.IsType<AccessToken>(await validator.ValidateAsync(token, Issuer.Resource));
        }

        await done.CancelAsync();
        await Task.WhenAll(users);
    }

    [Fact]
    public void A_token_seen_before_costs_no_memory_and_hardly_any_time()
    {
        const int Rounds = 20_000;
        var validator = Validator();
        var header = $"Bearer {issuer.Mint()}";
        Use(validator, header, Rounds);

        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var start = Stopwatch.GetTimestamp();
        Use(validator, header, Rounds);
        var time = Stopwatch.GetElapsedTime(start);
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{time.TotalNanoseconds / Rounds:F0} ns and {(double)bytes / Rounds:F2} bytes per token seen before");
        Assert.InRange(bytes, 0, Rounds / 100);
    }

    private static void Use(AccessTokenValidator validator, string header, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            var outcome = validator.ValidateAsync(header.AsSpan("Bearer ".Length), Issuer.Resource);
            Assert.True(outcome.IsCompleted && outcome.Result is AccessToken);
        }
    }

    private AccessTokenValidator Validator(int cached = 64) => new(Issuer.Name, keys, issuer.Clock, cached);
}
