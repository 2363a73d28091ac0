using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace Postern.Tests;

/// <summary>The laws of having a token for less than was granted (RFC 9396 §6), tried with any grants.</summary>
public sealed class GrantDetailTests
{
    private const string Place = "https://rs.example/one";

    private static readonly string[] Tools = ["a", "b", "c", "d"];

    [Fact, Rfc(9396, "6")]
    public void A_token_of_fewer_details_allows_no_call_that_its_grant_does_not() => Check((grant, asked, seed) =>
    {
        var random = new Random(seed);
        var arguments = JsonElement.Parse($$"""{"n":{{random.Next(6)}},"s":"{{(char)('a' + random.Next(4))}}"}""");
        return grant.Within(asked) is not { } narrowed
            || Array.TrueForAll(Tools, tool => !Allows(narrowed, tool, arguments) || Allows(grant, tool, arguments));
    });

    [Fact, Rfc(9396, "6")]
    public void A_token_of_fewer_details_pays_touches_and_calls_nothing_that_its_grant_does_not() =>
        Check((grant, asked, seed) =>
        {
            var limited = Details.TypesOf([grant.Details]);
            var (tool, charge, now) = Deed(new(seed));
            return grant.Within(asked) is not { } narrowed
                || !IsLetThrough(narrowed.Details)
                || IsLetThrough(grant.Details);

            bool IsLetThrough(Details? details) =>
                DetailRules.Forbids(details, limited, tool, Risk.Change) is null
                && (!limited.Contains(Detail.Spend)
                    || DetailRules.Purses(details!, charge, now).Purses is { Count: > 0 });
        });

    [Fact, Rfc(9396, "6")]
    public void What_is_narrowed_twice_could_have_been_narrowed_at_once() => Check((grant, asked, seed) =>
        grant.Within(asked) is not { } once
        || once.Within(DetailTests.Any(seed, Place)) is null
        || grant.Within(DetailTests.Any(seed, Place)) is not null);

    [Fact, Rfc(9396, "7")]
    public void A_token_says_nothing_that_its_grant_does_not_say() => Check((grant, asked, _) =>
        grant.Within(asked) is not { } narrowed
        || grant.Tools is null
        || narrowed.Told!.IsWithin(grant.Told!));

    [Fact]
    public void A_grant_holds_all_that_it_says() => Check((grant, _, _) =>
        grant.Told is not { All.Count: > 0 } told
        || (grant.Within(told)!.Told!.ToString() == told.ToString()
            && string.Join(' ', grant.Within(told)!.Tools ?? ["*"]) == string.Join(' ', grant.Tools ?? ["*"])));

    [Fact]
    public void A_detail_that_counts_is_counted_where_its_grant_counts() => Check((grant, asked, _) =>
        grant.Within(asked) is not { Details: { } details }
        || details.All.All(one => one.Rate is null || grant.Details!.PlaceOf(one) >= 0));

    [Fact]
    public void A_grant_that_tells_who_somebody_is_has_no_tools_to_name()
    {
        var grant = Any(0) with { Tools = null, Details = null, Scopes = Scopes.Of(Scopes.OpenId) };

        Assert.Null(grant.Within(Details.Parse(
            $$"""[{"type":"mcp_tool","locations":["{{Place}}"],"actions":["a"]}]""")!));
    }

    private static void Check(Func<Grant, Details, int, bool> law) => FsCheck.Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2000),
        Prop.ForAll<int, int, int>((grant, asked, seed) =>
            law(Any(grant), Asked(Any(grant), asked), seed)));

    // What a tool does and a call of it costs, by chance.
    private static (ToolDeclaration Tool, Charge Charge, DateTimeOffset Now) Deed(Random random)
    {
        var (data, call) = (
            Details.Parse($$"""[{"type":"data_access","datatypes":["a"]{{Labels("labels")}}}]""")!.All[0],
            Details.Parse(
                $$"""
                [{"type":"egress","upstream":"u","methods":["GET"],"path_templates":["/"]{{Labels("data_labels")}}}]
                """)!.All[0]);
        return (
            new()
            {
                Name = "a",
                Spends = random.Next(5) is 0 ? null : new("n", "EUR", "s"),
                Data = random.Next(5) is 0 ? null : data,
                Calls = random.Next(5) is 0 ? null : [call],
            },
            new(random.Next(4), "EUR", random.Next(2) is 0 ? "m" : "n"),
            new(2026, 1, random.Next(1, 4), 0, 0, 0, TimeSpan.Zero));

        string Labels(string name) => random.Next(2) is 0 ? "" : $",\"{name}\":[\"x\"]";
    }

    // As the gateway asks.
    private static bool Allows(Grant grant, string tool, JsonElement arguments) =>
        (grant.Tools is null || grant.Tools.Contains(tool))
        && (grant.Details is not { Tools: not null } details
            || details.All.Any(one => one.Actions?.Contains(tool) is true && one.Accepts(arguments)));

    // By chance, or something that is known to be within.
    private static Details Asked(Grant grant, int seed) =>
        seed % 2 is 0 && grant.Told?.Intersect(DetailTests.Any(seed, Place)) is { All.Count: > 0 } both
            ? both
            : DetailTests.Any(seed, Place);

    private static Grant Any(int seed)
    {
        var random = new Random(seed);
        var details = random.Next(3) is 0 ? null : DetailTests.Any(random.Next(), Place);
        return new()
        {
            Id = new("gr_1"),
            Tenant = TenantId.Default,
            Subject = new("ada"),
            IsOwn = false,
            Client = new("app"),
            ClientName = "App",
            Resource = Resource.TryParse(Place, out var resource) ? resource : throw new InvalidOperationException(),
            Scopes = Scopes.Of("mcp:read"),
            // What details name is all that was left on.
            Tools = details?.Tools ?? (random.Next(3) is var count && count is 0 ? null : [.. Tools.Take(count - 1)]),
            Details = details,
            CreatedAt = DateTimeOffset.UnixEpoch,
            ExpiresAt = DateTimeOffset.UnixEpoch.AddDays(1),
        };
    }
}
