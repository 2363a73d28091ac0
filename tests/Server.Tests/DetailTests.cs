using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace Postern.Tests;

/// <summary>The algebra of authorization details, and what is read as one (RFC 9396).</summary>
public sealed class DetailTests
{
    public static TheoryData<string> Good =>
    [
        """[{"type":"mcp_tool","locations":["https://a.example/mcp"],"actions":["a","b"]}]""",
        """
        [{"type":"mcp_tool","locations":["https://a.example/mcp"],"actions":["a"],"constraints":{"args":{"properties":{
        "n":{"minimum":-1.5,"maximum":20},"repo":{"enum":["x",1,true,false]},"up":{"maximum":3}}},
        "max_calls":5,"per":"hour"}}]
        """,
        """
        [{"type":"spend","currency":"EUR","max_per_tx":20,"max_total":100.5,"merchants":["m"],
        "valid_until":"2026-12-01T00:00:00Z"}]
        """,
        """
        [{"type":"egress","upstream":"github","methods":["GET"],"path_templates":["/repos/*"],"data_labels":["public"]}]
        """,
        """[{"type":"data_access","datatypes":["mail"],"labels":["work"],"row_filter_ref":"own"}]""",
    ];

    [Theory, MemberData(nameof(Good)), Rfc(9396, "2")]
    public void What_is_read_is_written_as_it_was_and_reads_the_same(string json)
    {
        var read = Details.Parse(json)!;

        Assert.Equal(string.Concat(json.Split('\n').Select(line => line.Trim())), read.ToString());
        Assert.Equal(read.ToString(), Details.Parse(read.ToString())!.ToString());
    }

    public static TheoryData<string> Bad =>
    [
        "", "x", "null", "7", "{}", "[]", "[7]", "[{}]", "[[]]", """[{"type":7}]""", """[{"type":"unheard_of"}]""",
        """[{"type":"mcp_tool"}]""",
        """[{"type":"mcp_tool","locations":["a"]}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":[]}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":[7]}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":[""]}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":["\ud800"]}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":["a\u0000"]}]""",
        """[{"type":"egress","upstream":"a\u001bb","methods":["GET"],"path_templates":["/"]}]""",
        """
        [{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"args":{"properties":{
        "x":{"const":"a\u009fb"}}}}}]
        """,
        """
        [{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"args":{"properties":{
        "x\u0007":{"const":"a"}}}}}]
        """,
        """[{"type":"mcp_tool","locations":"a","actions":["a"]}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":["a"],"more":1}]""",
        """[{"type":"mcp_tool","type":"spend","locations":["a"],"actions":["a"]}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"max_calls":5}}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"per":"hour"}}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"max_calls":0,"per":"hour"}}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"max_calls":1,"per":"year"}}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"other":1}}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"args":{}}}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"args":{"properties":{}}}}]""",
        """[{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"args":{"properties":{"x":{}}}}}]""",
        """
        [{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"args":{"properties":{
        "x":{"pattern":"."}}}}}]
        """,
        """
        [{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"args":{"properties":{
        "x":{"const":[]}}}}}]
        """,
        """
        [{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"args":{"properties":{
        "x":{"minimum":2,"maximum":1}}}}}]
        """,
        """
        [{"type":"mcp_tool","locations":["a"],"actions":["a"],"constraints":{"args":{"properties":{
        "x":{"minimum":"1"}}}}}]
        """,
        """[{"type":"spend","currency":"EUR"}]""", """[{"type":"spend","currency":"euro","max_total":1}]""",
        """[{"type":"spend","currency":"EUR","max_total":0}]""",
        """[{"type":"spend","currency":"EUR","max_total":"1"}]""",
        """[{"type":"spend","currency":"EUR","max_total":1,"valid_until":"tomorrow"}]""",
        """[{"type":"egress","upstream":"a","methods":["GET"]}]""", """[{"type":"data_access","labels":["a"]}]""",
    ];

    [Theory, MemberData(nameof(Bad)), Rfc(9396, "5")]
    public void What_is_not_understood_to_the_last_member_is_refused(string json) => Assert.Null(Details.Parse(json));

    [Fact]
    public void No_text_makes_the_reader_throw() =>
        Prop.ForAll<string>(text => _ = Details.Parse($"[{{{text}}}]")).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_within_something_within_a_third_is_within_the_third() =>
        Prop.ForAll<int, int, int>((a, b, c) =>
        {
            var (x, y, z) = (Any(a), Any(b), Any(c));
            // Two that are known to be within, and one by chance.
            var inner = x.Intersect(y);
            var most = inner.Intersect(z);
            return x.IsWithin(x)
                && (!x.IsWithin(y) || !y.IsWithin(z) || x.IsWithin(z))
                && most.IsWithin(inner) && inner.IsWithin(x) && most.IsWithin(x);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_two_have_in_common_is_within_both_whichever_comes_first() =>
        Prop.ForAll<int, int>((a, b) =>
        {
            var (x, y) = (Any(a), Any(b));
            var (xy, yx) = (x.Intersect(y), y.Intersect(x));
            return xy.IsWithin(x) && xy.IsWithin(y) && xy.IsWithin(yx) && yx.IsWithin(xy)
                && x.Intersect(x).IsWithin(x) && x.IsWithin(x.Intersect(x));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_call_that_the_narrower_takes_the_wider_takes_too() =>
        Prop.ForAll<int, int, int>((a, b, c) =>
        {
            var (x, y) = (Any(a).All[0], Any(b).All[0]);
            var random = new Random(c);
            var arguments = JsonElement.Parse($$"""{"n":{{random.Next(6)}},"s":"{{(char)('a' + random.Next(4))}}"}""");
            return x.Intersect(y) is not { } both || !both.Accepts(arguments)
                || (x.Accepts(arguments) && y.Accepts(arguments));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("""{"n":1}""", true), InlineData("""{"n":1.0}""", true), InlineData("""{"n":2}""", false)]
    [InlineData("""{"n":"1"}""", false), InlineData("{}", false), InlineData("""{"n":null}""", false)]
    [InlineData("""{"n":[1]}""", false), InlineData("""{"n":1e400}""", false), InlineData("[]", false)]
    public void A_limited_argument_must_be_there_and_be_one_of_its_values(string arguments, bool isAccepted)
    {
        var detail = Details.Parse(
            """
            [{"type":"mcp_tool","locations":["a"],"actions":["a"],
            "constraints":{"args":{"properties":{"n":{"const":1}}}}}]
            """)!.All[0];

        Assert.Equal(isAccepted, detail.Accepts(JsonElement.Parse(arguments)));
    }

    // Few values, so that chance brings what overlaps.
    internal static Details Any(int seed, string place = "l")
    {
        var random = new Random(seed);
        var details = Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(6) switch
        {
            0 => $$"""{"type":"spend","currency":"EUR","max_total":{{random.Next(1, 4)}}{{Purse()}}}""",
            1 => $$"""{"type":"data_access","datatypes":[{{Some("\"a\"", "\"b\"")}}]{{Labels("labels")}}}""",
            2 => $$"""{"type":"egress","upstream":"u","methods":[{{Some("\"GET\"", "\"PUT\"")}}],"path_templates":"""
                + $$"""["/"]{{Labels("data_labels")}}}""",
            _ => $$"""{"type":"mcp_tool","locations":["{{place}}"],"actions":[{{Some("\"a\"", "\"b\"", "\"c\"")}}]"""
                + $$""","constraints":{{Constraints()}}}""",
        });
        return Details.Parse($"[{string.Join(',', details)}]")!;

        string Labels(string name) => random.Next(2) is 0 ? "" : $",\"{name}\":[{Some("\"x\"", "\"y\"")}]";

        string Purse() => string.Concat(
            random.Next(2) is 0 ? "" : $",\"max_per_tx\":{random.Next(1, 4)}",
            random.Next(2) is 0 ? "" : $",\"merchants\":[{Some("\"m\"", "\"n\"")}]",
            random.Next(2) is 0 ? "" : $",\"valid_until\":\"2026-01-0{random.Next(1, 4)}T00:00:00Z\"");

        string Some(params string[] values) =>
            string.Join(',', values.Where(_ => random.Next(2) is 0).DefaultIfEmpty(values[0]));

        string Constraints()
        {
            var (properties, members) = (new List<string>(), new List<string>());
            if (random.Next(2) is 0)
            {
                properties.Add($"\"n\":{{\"minimum\":{random.Next(3)},\"maximum\":{random.Next(3, 6)}}}");
            }

            if (random.Next(2) is 0)
            {
                properties.Add($"\"s\":{{\"enum\":[{Some("\"a\"", "\"b\"")}]}}");
            }

            if (properties.Count > 0)
            {
                members.Add($"\"args\":{{\"properties\":{{{string.Join(',', properties)}}}}}");
            }

            if (random.Next(2) is 0)
            {
                members.Add($"\"max_calls\":{random.Next(1, 99)},\"per\":\"{Limit.Rate.All[random.Next(3)].Word}\"");
            }

            return $"{{{string.Join(',', members)}}}";
        }
    }
}
