using System.Text;
using Microsoft.AspNetCore.Http;
using Postern.Gateway.Inspect;

namespace Postern.Tests.Gateway.Inspect;

public sealed class AgreementTests
{
    private const string Meta =
        """
        "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
          "io.modelcontextprotocol/clientCapabilities":{}}
        """;

    [Fact]
    public void A_modern_call_whose_headers_say_what_the_body_says_is_accepted() =>
        Assert.Null(Check(Call("add"), out _, ("Mcp-Method", "tools/call"), ("Mcp-Name", "add")));

    [Theory]
    [InlineData("café", "=?base64?Y2Fmw6k=?=")]
    [InlineData(" padded ", "=?base64?IHBhZGRlZCA=?=")]
    [InlineData("=?base64?eA==?=", "=?base64?PT9iYXNlNjQ/ZUE9PT89?=")]
    [InlineData("a b", "a b")]
    [InlineData("a b", "  a b\t")]
    public void A_name_is_compared_after_decoding(string name, string header) =>
        Assert.Null(Check(Call(name), out _, ("Mcp-Method", "tools/call"), ("Mcp-Name", header)));

    [Theory]
    [InlineData("tools/call", "sub")]
    [InlineData("tools/call", null)]
    [InlineData("tools/list", "add")]
    [InlineData("Tools/Call", "add")]
    [InlineData(null, "add")]
    [InlineData("tools/call", "=?base64?!!!?=")]
    [InlineData("tools/call", "=?base64?YW Rk?=")]
    [InlineData("tools/call", "=?BASE64?YWRk?=")]
    [InlineData("tools/call", "ad\u00e9")]
    public void A_header_that_disagrees_or_is_missing_is_answered_32020(string? method, string? name)
    {
        var error = Check(Call("add"), out _, ("Mcp-Method", method), ("Mcp-Name", name));

        Assert.Equal((-32020, 400), (error?.Code, error?.Status));
    }

    [Fact]
    public void A_header_sent_twice_is_no_agreement()
    {
        var headers = Headers(("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"));
        headers["Mcp-Name"] = new(["add", "delete"]);

        Assert.Equal(-32020, Agreement.Check(Read(Call("add")), headers, out _)?.Code);
    }

    [Theory]
    [InlineData("2025-11-25", -32020)]
    [InlineData(null, -32020)]
    public void A_version_header_that_disagrees_with_the_body_is_answered_32020(string? version, int code) =>
        Assert.Equal(
            code,
            CheckExactly(Call("add"), out _, ("MCP-Protocol-Version", version), ("Mcp-Method", "tools/call"))?.Code);

    [Fact]
    public void A_version_of_the_future_is_answered_with_those_that_are_served()
    {
        var error = CheckExactly(
            Call("add").Replace("2026-07-28", "2099-01-01", StringComparison.Ordinal),
            out _,
            ("MCP-Protocol-Version", "2099-01-01"));

        Assert.Equal((-32022, 400), (error?.Code, error?.Status));
        Assert.Contains("2026-07-28", error?.Data, StringComparison.Ordinal);
        Assert.Contains("2099-01-01", error?.Data, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(""" "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"} """)]
    [InlineData(
        """
        "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
          "io.modelcontextprotocol/clientCapabilities":[]}
        """)]
    public void A_modern_request_without_its_meta_is_answered_32602(string meta)
    {
        var error = Check(
            $$"""{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{ {{meta}} } }""",
            out _,
            ("Mcp-Method", "tools/list"));

        Assert.Equal((-32602, 400), (error?.Code, error?.Status));
    }

    [Theory]
    [InlineData("initialize")]
    [InlineData("ping")]
    [InlineData("logging/setLevel")]
    [InlineData("resources/subscribe")]
    [InlineData("resources/unsubscribe")]
    public void A_method_that_the_modern_revision_removed_is_unknown(string method)
    {
        var error = Check(
            $$$"""{"jsonrpc":"2.0","id":1,"method":"{{{method}}}","params":{ {{{Meta}}} }}""",
            out _,
            ("Mcp-Method", method));

        Assert.Equal((-32601, 404), (error?.Code, error?.Status));
    }

    [Fact]
    public void A_modern_client_never_sends_a_response() =>
        Assert.Equal(-32600, Check("""{"jsonrpc":"2.0","id":1,"result":{}}""", out _)?.Code);

    [Theory]
    [InlineData("initialize", """{"protocolVersion":"2025-11-25"}""", null)]
    [InlineData("initialize", """{"protocolVersion":"2024-11-05"}""", "2024-11-05")]
    [InlineData("tools/call", """{"name":"add"}""", null)]
    [InlineData("tools/call", """{"name":"add"}""", "2025-06-18")]
    public void A_legacy_message_is_known_by_what_it_lacks_and_its_mirrored_headers_mean_nothing(
        string method, string parameters, string? version)
    {
        var error = CheckExactly(
            $$"""{"jsonrpc":"2.0","id":1,"method":"{{method}}","params":{{parameters}}}""",
            out var era,
            ("MCP-Protocol-Version", version),
            ("Mcp-Method", "other"),
            ("Mcp-Name", "other"));

        Assert.Null(error);
        Assert.Equal(Era.Legacy, era);
    }

    [Fact]
    public void A_version_of_the_future_need_not_say_it_in_the_body_as_we_know_it() =>
        Assert.Equal(
            -32022,
            CheckExactly(
                """{"jsonrpc":"2.0","id":1,"method":"ping"}""", out _, ("MCP-Protocol-Version", "2099-01-01"))?.Code);

    [Fact]
    public void A_legacy_version_that_is_not_served_is_refused() =>
        Assert.Equal(
            -32022,
            CheckExactly(
                """{"jsonrpc":"2.0","id":1,"method":"ping"}""", out _, ("MCP-Protocol-Version", "2024-11-05"))?.Code);

    private static string Call(string name) =>
        $$$"""
        {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"{{{name}}}","arguments":{}, {{{Meta}}} }}
        """;

    private static RpcError? Check(string json, out Era era, params (string Name, string? Value)[] headers) =>
        CheckExactly(json, out era, [("MCP-Protocol-Version", "2026-07-28"), .. headers]);

    private static RpcError? CheckExactly(string json, out Era era, params (string Name, string? Value)[] headers) =>
        Agreement.Check(Read(json), Headers(headers), out era);

    private static HeaderDictionary Headers(params (string Name, string? Value)[] headers)
    {
        var made = new HeaderDictionary();
        foreach (var (name, value) in headers)
        {
            if (value is not null)
            {
                made[name] = value;
            }
        }

        return made;
    }

    private static Message Read(string json)
    {
        Assert.True(Message.TryRead(Encoding.UTF8.GetBytes(json), out var message, out _));
        return message;
    }
}
