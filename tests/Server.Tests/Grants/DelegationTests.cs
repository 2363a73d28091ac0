using FsCheck;
using FsCheck.Fluent;
using Postern.Grants;

namespace Postern.Tests.Grants;

/// <summary>The laws of passing a grant on, tried with any grants.</summary>
public sealed class DelegationTests
{
    private const string Issuer = "https://as.example";

    private static readonly string[] Words = ["mcp:read", "mcp:write", "mcp:destroy", "offline_access", "more"];

    private static readonly Gen<Scopes> AnyScopes =
        Gen.SubListOf(Words).Select(words => Scopes.Of(words));

    private static readonly Gen<ActingParty> AnyActor =
        from issuer in Gen.Elements(Issuer, "https://other.example")
        from subject in Gen.Elements("a", "b", "c", "d", "ada")
        select new ActingParty(issuer, subject, null);

    private static readonly Gen<Resource> AnyResource =
        Gen.Elements("https://rs.example/one", "https://rs.example/two").Select(Parse);

    private static readonly Gen<Grant> AnyGrant =
        from scopes in AnyScopes
        from resource in AnyResource
        from tools in Gen.Elements<string[]?>(null, [], ["send"])
        from isChild in Gen.Elements(true, false)
        from actors in Gen.Choose(0, 4).SelectMany(count => AnyActor.ListOf(count))
        select Root with
        {
            Scopes = scopes,
            Resource = resource,
            Tools = tools,
            Actors = [.. actors],
            Root = isChild ? new("gr_root") : null,
        };

    private static readonly Gen<Hop> AnyHop =
        from actor in AnyActor
        from resource in AnyResource
        from held in AnyScopes
        from asked in AnyScopes.OrNull()
        from cap in AnyScopes.OrNull()
        select new Hop(actor, new("next"), "Next", resource, held, asked, cap);

    private static Grant Root => new()
    {
        Id = new("gr_from"),
        Tenant = TenantId.Default,
        Subject = new("ada"),
        IsOwn = false,
        Client = new("first"),
        ClientName = "First",
        Installation = new("in_1"),
        ClientHash = "hash",
        Resource = Parse("https://rs.example/one"),
        Scopes = Scopes.Of("mcp:read", "mcp:write", "offline_access"),
        Tools = ["send"],
        CreatedAt = DateTimeOffset.UnixEpoch,
        ExpiresAt = DateTimeOffset.UnixEpoch.AddDays(1),
    };

    [Fact, Rfc(8693, "1.1"), Rfc(8693, "4.1")]
    public void What_is_passed_on_never_reaches_further_than_what_it_came_from() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2000),
        Prop.ForAll(Arb.From(AnyGrant), Arb.From(AnyHop), (from, hop) =>
        {
            if (Delegation.PassOn(from, Issuer, hop).Failed(out _, out var passed))
            {
                return true;
            }

            return !passed.Scopes.IsEmpty
                && passed.Scopes.IsWithin(from.Scopes)
                && passed.Scopes.IsWithin(hop.Held)
                && (hop.Cap is null || passed.Scopes.IsWithin(hop.Cap))
                && (hop.Asked is null || passed.Scopes.Equals(hop.Asked))
                && !passed.Scopes.Has(Scopes.OfflineAccess)
                && passed.Resource == from.Resource
                && passed.Tools == from.Tools
                && passed.ExpiresAt == from.ExpiresAt
                && passed.Subject == from.Subject
                && passed.Parent == from.Id
                && passed.Root == (from.Root ?? from.Id);
        }));

    [Fact, Rfc(8693, "4.1")]
    public void A_chain_is_short_has_everybody_once_and_keeps_who_was_before() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2000),
        Prop.ForAll(Arb.From(AnyGrant), Arb.From(AnyHop), (from, hop) =>
            Delegation.PassOn(from, Issuer, hop).Failed(out _, out var passed)
            || (passed.Actors.Count <= Delegation.MaxActors
                && passed.Actors[0] == hop.Actor
                && passed.Actors.Skip(1).SequenceEqual(from.Actors)
                && !from.Actors.Any(hop.Actor.Is)
                && !hop.Actor.Is(Issuer, from.Subject.Value))));

    [Fact]
    public void What_belongs_to_the_first_client_stays_with_it()
    {
        var hop = new Hop(
            new(Issuer, "next", "ai_agent"), new("next"), "Next", Root.Resource, Root.Scopes, null, null);

        Assert.False(Delegation.PassOn(Root, Issuer, hop).Failed(out _, out var passed));
        Assert.Equal(("next", "Next"), (passed.Client.Value, passed.ClientName));
        Assert.Null(passed.Installation);
        Assert.Null(passed.ClientHash);
        Assert.Equal("mcp:read mcp:write", passed.Scopes.ToString());
    }

    [Fact]
    public void One_of_another_issuer_with_the_same_name_is_somebody_else()
    {
        var from = Root with { Actors = [new("https://other.example", "next", null)] };
        var hop = new Hop(new(Issuer, "next", null), new("next"), "Next", from.Resource, from.Scopes, null, null);

        Assert.False(Delegation.PassOn(from, Issuer, hop).Failed(out _, out _));
        Assert.True(Delegation.PassOn(from, Issuer, hop with { Actor = from.Actors[0] }).Failed(out var error, out _));
        Assert.Equal("invalid_request", error.Code);
    }

    private static Resource Parse(string text) =>
        Resource.TryParse(text, out var parsed) ? parsed : throw new InvalidOperationException(text);
}
