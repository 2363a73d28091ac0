using System.Buffers.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Postern.OAuth.ClientAuth;

namespace Postern.Tests.OAuth;

/// <summary>The laws of narrowing: nobody is given more than each of those who decide allows.</summary>
public sealed class NarrowingTests
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(2000);

    private static readonly string[] Words =
        ["mcp:read", "mcp:write", "mcp:destroy", "offline_access", "openid", "email", "profile", "more"];

    private static readonly Gen<Scopes> AnyScopes = Gen.SubListOf(Words).Select(words => Scopes.Of(words));

    private static readonly Gen<Client> AnyClient = AnyScopes.OrNull().Select(cap => new Client
    {
        Id = new("any"),
        Source = ClientSource.Configured,
        Name = "Any",
        AuthMethods = ["none"],
        RedirectUris = [],
        GrantTypes = [],
        ScopeCap = cap,
    });

    private static readonly Scopes Offline = Scopes.Of(Scopes.OfflineAccess);

    private static readonly Gen<int?> AnyTime =
        Gen.OneOf(Gen.Constant((int?)null), Gen.Choose(-30, 30).Select(seconds => (int?)seconds));

    [Fact, Rfc(6749, "3.3")]
    public void What_is_left_is_within_what_was_asked_offered_and_registered() => Check.One(Many, Prop.ForAll(
        Arb.From(AnyClient), Arb.From(AnyScopes), Arb.From(AnyScopes), (client, asked, offered) =>
        {
            var left = client.Narrow(asked, offered);
            return left.IsWithin(offered.With(Offline))
                && (asked.IsEmpty || left.IsWithin(asked))
                && (client.ScopeCap is null || left.IsWithin(client.ScopeCap.With(Offline)))
                && client.Narrow(left, offered) is var again && (left.IsEmpty || again.Equals(left))
                && !left.Equals(Offline);
        }));

    [Fact]
    public void Who_asks_for_more_is_never_given_less() => Check.One(Many, Prop.ForAll(
        Arb.From(AnyClient),
        Arb.From(AnyScopes.Where(scopes => !scopes.IsEmpty)),
        Arb.From(AnyScopes),
        (client, asked, more) =>
        {
            var offered = Scopes.Of(Words);
            return client.Narrow(asked, offered).IsWithin(client.Narrow(asked.With(more), offered));
        }));

    [Fact]
    public void Of_the_person_a_client_learns_what_it_asked_for_and_may_and_only_with_openid() => Check.One(
        Many, Prop.ForAll(Arb.From(AnyClient), Arb.From(AnyScopes), (client, asked) =>
        {
            var told = client.NarrowIdentity(asked);
            return told.IsWithin(asked) && told.IsWithin(Scopes.Identity)
                && (client.ScopeCap is null || told.IsWithin(client.ScopeCap))
                && (told.IsEmpty || told.Has(Scopes.OpenId));
        }));

    [Fact]
    public void Scopes_are_a_set_whatever_their_order() => Check.One(Many, Prop.ForAll(
        Arb.From(AnyScopes), Arb.From(AnyScopes), (one, two) =>
            one.Intersect(two).Equals(two.Intersect(one))
            && one.With(two).Equals(two.With(one))
            && one.Without(two).Intersect(two).IsEmpty
            && one.Without(two).With(one.Intersect(two)).Equals(one)
            && Scopes.TryParse(one.ToString(), out var read) && read.Equals(one)));

    [Fact, Rfc(7523, "3")]
    public void An_assertion_is_good_between_its_times_and_not_for_longer_than_it_may_be() => Check.One(
        Many, Prop.ForAll(
            Arb.From(Gen.Choose(-900, 900)), Arb.From(AnyTime), Arb.From(AnyTime), (expires, starts, issued) =>
            {
                var now = DateTimeOffset.UnixEpoch.AddYears(56);
                var life = TimeSpan.FromMinutes(5);
                var skew = ForeignToken.Skew;
                var token = ForeignToken.Read(At(now.ToUnixTimeSeconds(), expires, starts, issued))!;
                var isGood = expires > 0 && TimeSpan.FromSeconds(expires) <= life + skew
                    && TimeSpan.FromSeconds(starts ?? 0) <= skew && TimeSpan.FromSeconds(issued ?? 0) <= skew;
                return token.TimeRefusal(now, life) is null == isGood;
            }));

    private static string At(long now, int expires, int? starts, int? issued)
    {
        var claims = new Dictionary<string, long> { ["exp"] = now + expires };
        if (starts is { } start)
        {
            claims["nbf"] = now + start;
        }

        if (issued is { } made)
        {
            claims["iat"] = now + made;
        }

        var text = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(claims));
        return $"{Base64Url.EncodeToString("""{"alg":"ES256"}"""u8)}.{text}.AAAA";
    }
}
