using Microsoft.Extensions.Primitives;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Proofs;

namespace Postern.AspNetCore.Tests.Proofs;

/// <summary>What the judge of proofs remembers, for how long, in how much memory; and its nonces.</summary>
public sealed class ProofValidatorTests : IDisposable
{
    private const string Url = "https://api.example/notes";

    private static readonly byte[] NonceKey = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private readonly FakeClock clock = new();
    private readonly DpopKey key = new();

    private ProofAsk Ask => new("POST", Url, clock.GetUtcNow().ToUnixTimeSeconds());

    public void Dispose() => key.Dispose();

    [Fact]
    public async Task A_key_is_named_by_the_thumbprint_of_the_standard()
    {
        var proof = Assert.IsType<Proof>(await Old().ValidateAsync(key.Proof(Ask), new("POST", Url)));

        Assert.Equal(key.Thumbprint, proof.Thumbprint);
    }

    [Theory]
    [InlineData(-60)]
    [InlineData(0)]
    [InlineData(60)]
    public async Task A_proof_is_remembered_for_as_long_as_it_would_be_taken(int ahead)
    {
        var validator = Old();
        var proof = key.Proof(Ask, c => c["iat"] = Ask.Now + ahead);
        Assert.IsType<Proof>(await validator.ValidateAsync(proof, new("POST", Url)));

        for (var seconds = 0; seconds <= 130; seconds++)
        {
            Assert.IsType<TokenRefusal>(await validator.ValidateAsync(proof, new("POST", Url)));
            clock.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public async Task Where_no_more_can_be_remembered_no_more_is_taken_until_some_are_over()
    {
        var validator = Old(remembered: 16);
        var outcomes = new List<TokenOutcome>();
        for (var i = 0; i < 64; i++)
        {
            outcomes.Add(await validator.ValidateAsync(key.Proof(Ask), new("POST", Url)));
        }

        Assert.InRange(outcomes.Count(outcome => outcome is Proof), 1, 16);
        Assert.All(
            outcomes.OfType<TokenRefusal>(), refusal => Assert.Equal("temporarily_unavailable", refusal.Code));
        clock.Advance(TimeSpan.FromSeconds(91));
        Assert.IsType<Proof>(await validator.ValidateAsync(key.Proof(Ask), new("POST", Url)));
    }

    [Fact]
    public void A_full_memory_of_proofs_takes_32_MiB_at_most()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var seen = new SeenProofs(ProofValidator.DefaultRememberedProofs);
        var (digest, taken) = (new byte[32], 0);
        for (var i = 0L; i < ProofValidator.DefaultRememberedProofs * 2L; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(digest, i);
            digest[16] = (byte)i;
            taken += seen.Take(digest, 100 + (i % 120), 100) is true ? 1 : 0;
        }

        var took = GC.GetTotalMemory(forceFullCollection: true) - before;

        Assert.Equal(ProofValidator.DefaultRememberedProofs, taken);
        Assert.InRange(took, 1, 32 * 1024 * 1024);
        GC.KeepAlive(seen);
    }

    [Fact]
    public async Task Another_process_is_asked_once_about_each_proof()
    {
        var asked = new List<ProofUse>();
        var validator = new ProofValidator(clock, new(NonceKey, clock))
        {
            IsFirstUse = (use, _) =>
            {
                asked.Add(use);
                return new(asked.Count is 1);
            },
        };
        var proof = key.Proof(Ask);

        Assert.IsType<Proof>(await validator.ValidateAsync(proof, new("POST", Url)));
        Assert.IsType<TokenRefusal>(await validator.ValidateAsync(proof, new("POST", Url)));
        Assert.IsType<TokenRefusal>(await validator.ValidateAsync(key.Proof(Ask), new("POST", Url)));
        Assert.Equal(2, asked.Count);
        Assert.Equal(Ask.Now + 60, asked[0].Until.ToUnixTimeSeconds());
    }

    [Fact]
    public async Task After_a_start_only_a_nonce_shows_that_a_proof_was_not_used_before_it()
    {
        var target = new ProofTarget("POST", Url);
        var before = key.Proof(Ask, c => c["iat"] = Ask.Now + 59);
        Assert.IsType<Proof>(await Old().ValidateAsync(before, target));
        var validator = Validator();

        var asked = Assert.IsType<TokenRefusal>(await validator.ValidateAsync(before, target));
        Assert.Equal("use_dpop_nonce", asked.Code);
        Assert.IsType<Proof>(await validator.ValidateAsync(key.Proof(Ask, nonce: asked.Nonce), target));

        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.IsType<TokenRefusal>(await validator.ValidateAsync(before, target));
        Assert.IsType<Proof>(await validator.ValidateAsync(key.Proof(Ask), target));
    }

    [Fact]
    public async Task A_nonce_is_good_for_its_minute_and_the_next_and_a_fresh_one_is_offered_in_time()
    {
        var validator = Old(requiresNonce: true);
        var target = new ProofTarget("POST", Url);
        var first = Assert.IsType<TokenRefusal>(await validator.ValidateAsync(key.Proof(Ask), target)).Nonce!;

        Assert.Null(Assert.IsType<Proof>(await With(first)).NextNonce);
        clock.Advance(TimeSpan.FromSeconds(60));
        var next = Assert.IsType<Proof>(await With(first)).NextNonce!;
        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal("use_dpop_nonce", Assert.IsType<TokenRefusal>(await With(first)).Code);
        Assert.IsType<Proof>(await With(next));

        ValueTask<TokenOutcome> With(string nonce) => validator.ValidateAsync(key.Proof(Ask, nonce: nonce), target);
    }

    [Theory]
    [InlineData("")]
    [InlineData("made-up")]
    [InlineData("https://other.example/notes")]
    public async Task A_nonce_of_somewhere_else_is_none(string source)
    {
        var nonces = new ProofNonces(NonceKey, clock);
        var nonce = source.StartsWith("https", StringComparison.Ordinal) ? nonces.Current(source) : source;

        var refusal = Assert.IsType<TokenRefusal>(
            await Old().ValidateAsync(key.Proof(Ask, nonce: nonce), new("POST", Url)));

        Assert.Equal("use_dpop_nonce", refusal.Code);
        Assert.Equal(nonces.Current(Url), refusal.Nonce);
    }

    [Fact]
    public async Task No_bytes_make_it_throw()
    {
        var validator = Old();
        var proof = key.Proof(Ask);
        var random = new Random(1);
        for (var i = 0; i < 2000; i++)
        {
            var text = proof.ToCharArray();
            for (var changes = 0; changes <= i % 3; changes++)
            {
                text[random.Next(text.Length)] = (char)random.Next(1, 0x180);
            }

            var outcome = await validator.ValidateAsync(new StringValues(new string(text)), new("POST", Url));
            Assert.True(outcome is TokenRefusal || new string(text) == proof);
        }
    }

    // One that has been there for so long that it need not ask for a nonce.
    private ProofValidator Old(bool requiresNonce = false, int remembered = 1024)
    {
        clock.Advance(TimeSpan.FromMinutes(-5));
        var validator = Validator(requiresNonce, remembered);
        clock.Advance(TimeSpan.FromMinutes(5));
        return validator;
    }

    private ProofValidator Validator(bool requiresNonce = false, int remembered = 1024) =>
        new(clock, new(NonceKey, clock), remembered) { RequiresNonce = requiresNonce };
}
