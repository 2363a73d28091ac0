using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Postern.Gateway.Inspect;

namespace Postern.Tests.Gateway.Inspect;

public sealed class ToolDefinitionTests
{
    [Theory]
    [InlineData("""{"name":"t"}""", Risk.Destroy)]
    [InlineData("""{"name":"t","annotations":{}}""", Risk.Destroy)]
    [InlineData("""{"name":"t","annotations":{"readOnlyHint":true}}""", Risk.Read)]
    [InlineData("""{"name":"t","annotations":{"readOnlyHint":"true"}}""", Risk.Destroy)]
    [InlineData("""{"name":"t","annotations":{"destructiveHint":false}}""", Risk.Change)]
    [InlineData("""{"name":"t","annotations":{"destructiveHint":true,"readOnlyHint":false}}""", Risk.Destroy)]
    public void Annotations_give_the_risk_and_silence_is_the_worst(string json, Risk risk) =>
        Assert.Equal(risk, Read(json)?.Risk);

    [Fact]
    public void The_hash_is_that_of_the_meaning_and_not_of_the_spelling()
    {
        var one = Read(
            """
            {"name":"t","description":"d","inputSchema":{"type":"object","properties":{"a":{"type":"string"}}}}
            """);
        var other = Read(
            """
            { "inputSchema": {"properties":{"a":{"type":"string"}},"type":"object"},
              "description":"\u0064", "name":"t" }
            """);
        var changed = Read(
            """
            {"name":"t","description":"d.","inputSchema":{"type":"object","properties":{"a":{"type":"string"}}}}
            """);

        Assert.Equal(one?.Hash, other?.Hash);
        Assert.NotEqual(one?.Hash, changed?.Hash);
    }

    [Fact]
    public void Many_short_chains_of_references_cost_no_more_than_one_long_one()
    {
        Assert.Null(Read(Chained(10))?.Defect);
        Assert.NotNull(Read(Chained(40))?.Defect);

        static string Chained(int chains)
        {
            var definitions = new JsonObject();
            for (var i = 0; i < chains * 20; i++)
            {
                var (chain, link) = (i / 20, i % 20);
                definitions[$"{chain}_{link}"] = link is 19
                    ? new JsonObject { ["type"] = "string" }
                    : new JsonObject { ["$ref"] = $"#/$defs/{chain}_{link + 1}" };
            }

            return new JsonObject
            {
                ["name"] = "t",
                ["inputSchema"] = new JsonObject { ["type"] = "object", ["$defs"] = definitions },
            }.ToJsonString();
        }
    }

    [Theory]
    [InlineData("""{"name":"t","description":"Adds.\udb40\udc41"}""")]
    [InlineData("""{"name":"t","description":"Adds.\u200b"}""")]
    [InlineData("""{"name":"t","inputSchema":{"properties":{"a":{"description":"\u202e"}}}}""")]
    [InlineData("""{"name":"t","inputSchema":{"$ref":"http://sink.example/"}}""")]
    [InlineData(
        """
        {"name":"t","inputSchema":{"$ref":"#/$defs/a",
          "$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}}
        """)]
    [InlineData("""{"name":"t","inputSchema":{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}}""")]
    [InlineData("""{"name":"t","inputSchema":{"properties":{"a":{"items":{"type":"string","x-mcp-header":"A"}}}}}""")]
    [InlineData(
        """
        {"name":"t","inputSchema":{"properties":{
          "a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}}
        """)]
    [InlineData("""{"name":"t","inputSchema":{"properties":{"a":{"type":"string","x-mcp-header":"A B"}}}}""")]
    public void A_tool_with_a_defect_says_which(string json) => Assert.NotNull(Read(json)?.Defect);

    [Theory]
    [InlineData("""{"name":"t","description":"Careful ⚠️ 👩‍👩‍👧"}""")]
    [InlineData(
        """
        {"name":"t","inputSchema":{"$ref":"#/$defs/node",
          "$defs":{"node":{"properties":{"next":{"$ref":"#/$defs/node"}}}}}}
        """)]
    public void Emoji_and_recursive_schemas_are_no_defect(string json) => Assert.Null(Read(json)?.Defect);

    [Fact]
    public void A_tool_beyond_the_limits_is_none()
    {
        Assert.Null(Read($$"""{"name":"t","description":"{{new string('x', ToolDefinition.MaxSize)}}"}"""));
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 60)) + "1" + new string('}', 60);
        Assert.Null(Read($$"""{"name":"t","inputSchema":{{deep}}}"""));
        Assert.Null(Read("""{"description":"nameless"}"""));
    }

    [Theory]
    [InlineData("""{"region":"eu","count":42,"dry":true,"deep":{"id":"x"}}""", "eu", "42", "true", "x", true)]
    [InlineData("""{"region":"eu","count":42.0,"dry":true,"deep":{"id":"x"}}""", "eu", "42", "true", "x", true)]
    [InlineData("""{"region":"eu","count":42,"dry":true,"deep":{"id":"x"}}""", "eu", "42.0", "true", "x", true)]
    [InlineData("""{"region":"é","count":42,"dry":true}""", "=?base64?w6k=?=", "42", "true", null, true)]
    [InlineData("""{"region":"eu","count":42,"dry":false}""", "eu", "42", "false", null, true)]
    [InlineData("""{"region":null,"count":42,"dry":true}""", null, "42", "true", null, true)]
    [InlineData("""{"region":"eu","count":42,"dry":true}""", "us", "42", "true", null, false)]
    [InlineData("""{"region":"eu","count":42,"dry":true}""", null, "42", "true", null, false)]
    [InlineData("""{"count":42,"dry":true}""", "eu", "42", "true", null, false)]
    [InlineData(
        """{"region":"eu","count":9007199254740993,"dry":true}""", "eu", "9007199254740993", "true", null, false)]
    [InlineData("""{"region":"eu","count":42,"dry":true}""", "eu", "42", "True", null, false)]
    public void Mirrored_parameters_are_held_against_their_headers(
        string arguments, string? region, string? count, string? dry, string? id, bool agrees)
    {
        var headers = new HeaderDictionary();
        foreach (var (name, value) in new[] { ("Region", region), ("Count", count), ("Dry", dry), ("Id", id) })
        {
            if (value is not null)
            {
                headers[ParamHeaders.Prefix + name] = value;
            }
        }

        using var given = JsonDocument.Parse(arguments);
        var error = Mirroring.Headers.Disagreement(given.RootElement, headers);

        Assert.Equal(agrees ? null : -32020, error?.Code);
    }

    private static ToolDefinition Mirroring => Read(
        """
        {"name":"t","inputSchema":{"properties":{
          "region":{"type":"string","x-mcp-header":"Region"},"count":{"type":"integer","x-mcp-header":"Count"},
          "dry":{"type":"boolean","x-mcp-header":"Dry"},
          "deep":{"properties":{"id":{"type":"string","x-mcp-header":"Id"}}}}}}
        """)!;

    private static ToolDefinition? Read(string json) => ToolDefinition.Read(Encoding.UTF8.GetBytes(json));
}
