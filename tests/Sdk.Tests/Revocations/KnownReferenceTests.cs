using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;
using Postern.AspNetCore.Revocations;

namespace Postern.AspNetCore.Tests.Revocations;

/// <summary>
/// A reference is asked about no oftener than needed, however hostile those are who send it, and never taken longer
/// than it stands.
/// </summary>
public sealed class KnownReferenceTests : IAsyncLifetime
{
    private readonly Issuer issuer = new();
    private readonly HttpClient http = new();
    private AskedIssuer asked = null!;

    public async ValueTask InitializeAsync() => asked = await AskedIssuer.StartAsync(issuer);

    public async ValueTask DisposeAsync()
    {
        await asked.DisposeAsync();
        http.Dispose();
        issuer.Dispose();
    }

    [Fact]
    public async Task One_that_stands_for_nothing_is_asked_about_once_in_five_seconds()
    {
        var questions = asked.Asker(http);
        for (var i = 0; i < 100; i++)
        {
            Assert.Null(await questions.DereferenceAsync("pat_no", () => true, default));
        }

        Assert.Equal(1, asked.Questions);
        asked.Standing.Add("pat_no");
        issuer.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.NotNull(await questions.DereferenceAsync("pat_no", () => true, default));
        Assert.Equal(2, asked.Questions);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(60, 1)]
    public async Task How_long_that_is_can_be_said(int seconds, int expected)
    {
        var questions = asked.Asker(http, options => options.RefusedReferencesFor = TimeSpan.FromSeconds(seconds));
        for (var i = 0; i < 3; i++)
        {
            Assert.Null(await questions.DereferenceAsync("pat_no", () => true, default));
            issuer.Clock.Advance(TimeSpan.FromSeconds(19));
        }

        Assert.Equal(expected, asked.Questions);
    }

    [Fact]
    public async Task One_that_stands_is_asked_about_once_while_its_end_would_be_heard_of()
    {
        var (watch, validator) = Follow();
        asked.Standing.Add("pat_yes");
        watch.Beat();
        for (var i = 0; i < 100; i++)
        {
            Assert.IsType<AccessToken>(await validator.ValidateAsync("pat_yes", Issuer.Resource));
        }

        Assert.Equal(1, asked.Questions);
        watch.Note("off", "gr_1");
        Assert.IsType<TokenRefusal>(await validator.ValidateAsync("pat_yes", Issuer.Resource));
        watch.Note("on", "1");
        Assert.IsType<TokenRefusal>(await validator.ValidateAsync("pat_yes", Issuer.Resource));
        watch.Note("on", "0");
        Assert.IsType<AccessToken>(await validator.ValidateAsync("pat_yes", Issuer.Resource));
        watch.Note("token", "pat_yes");
        Assert.IsType<TokenRefusal>(await validator.ValidateAsync("pat_yes", Issuer.Resource));
        Assert.Equal(1, asked.Questions);
    }

    [Fact]
    public async Task One_that_stands_is_asked_about_each_time_where_its_end_would_not_be_heard_of()
    {
        var (watch, validator) = Follow();
        asked.Standing.Add("pat_yes");
        watch.Beat();
        Assert.IsType<AccessToken>(await validator.ValidateAsync("pat_yes", Issuer.Resource));
        issuer.Clock.Advance(TimeSpan.FromSeconds(16));
        asked.Standing.Clear();
        Assert.IsType<TokenRefusal>(await validator.ValidateAsync("pat_yes", Issuer.Resource));
        Assert.Equal(2, asked.Questions);

        asked.Standing.Add("pat_more");
        asked.TellsGrants = false;
        watch.Beat();
        Assert.IsType<AccessToken>(await validator.ValidateAsync("pat_more", Issuer.Resource));
        Assert.IsType<AccessToken>(await validator.ValidateAsync("pat_more", Issuer.Resource));
        Assert.Equal(4, asked.Questions);
    }

    [Fact]
    public async Task Questions_about_what_strangers_send_are_bounded_and_beyond_that_it_is_an_outage()
    {
        var (questions, gate) = (asked.Asker(http), new TaskCompletionSource());
        asked.Gate = gate.Task;
        var under = Enumerable.Range(0, IssuerQuestions.MostUnderWay)
            .Select(i => questions.DereferenceAsync($"pat_{i}", () => true, default).AsTask()).ToList();
        await Eventually.TrueAsync(() => asked.Questions is IssuerQuestions.MostUnderWay);

        await Assert.ThrowsAsync<HttpRequestException>(
            () => questions.DereferenceAsync("pat_more", () => true, default).AsTask());
        Assert.Equal(IssuerQuestions.MostUnderWay, asked.Questions);
        gate.SetResult();
        Assert.All(await Task.WhenAll(under), Assert.Null);
        Assert.Null(await questions.DereferenceAsync("pat_more", () => true, default));
    }

    [Fact]
    public void Whatever_is_answered_there_is_no_more_in_memory_than_places_and_nothing_is_taken_beyond_its_time() =>
        Prop.ForAll(Steps(), steps =>
        {
            var clock = new FakeClock();
            var known = new KnownReferences(8, TimeSpan.FromSeconds(5), clock);
            var (until, refused) = (new Dictionary<int, DateTimeOffset>(), new Dictionary<int, DateTimeOffset>());
            foreach (var (token, what) in steps)
            {
                var name = known.NameOf(token.ToString(CultureInfo.InvariantCulture));
                var now = clock.GetUtcNow();
                if (known.Count > 16
                    || (known.Claims(name) is not null && !(until.GetValueOrDefault(token) > now))
                    || (known.IsRefused(name) && !(refused.GetValueOrDefault(token) > now)))
                {
                    return false;
                }

                if (what < 3)
                {
                    known.Keep(name, [], until[token] = now + TimeSpan.FromSeconds(what * 10));
                }
                else if (what < 6)
                {
                    known.Refuse(name);
                    refused[token] = now + TimeSpan.FromSeconds(5);
                    until.Remove(token);
                }
                else
                {
                    clock.Advance(TimeSpan.FromSeconds(what - 5));
                }
            }

            return true;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Nothing_that_stands_for_nothing_displaces_what_stands()
    {
        var known = new KnownReferences(8, TimeSpan.FromSeconds(5), issuer.Clock);
        known.Keep(known.NameOf("yes"), [1], issuer.Clock.GetUtcNow().AddMinutes(1));
        for (var i = 0; i < 10_000; i++)
        {
            known.Refuse(known.NameOf($"no {i}"));
        }

        Assert.NotNull(known.Claims(known.NameOf("yes")));
    }

    private static Arbitrary<(int Token, int What)[]> Steps() => Arb.From(
        Gen.Choose(0, 99).Zip(Gen.Choose(0, 9)).Select(pair => (Token: pair.Item1, What: pair.Item2))
            .ArrayOf(300));

    private (RevocationWatch Watch, AccessTokenValidator Validator) Follow()
    {
        var questions = asked.Asker(http);
        var watch = new RevocationWatch(
            TimeSpan.FromSeconds(15), LateRevocations.Introspect, questions, issuer.Clock);
        return (watch, new(asked.Url, new LocalKeys(issuer.Keys), issuer.Clock)
        {
            References = (token, stop) => questions.DereferenceAsync(token, () => watch.IsCurrent, stop),
            Revocations = watch,
        });
    }
}
