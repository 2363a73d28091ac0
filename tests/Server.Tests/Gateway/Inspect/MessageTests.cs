using System.Text;
using Postern.Gateway.Inspect;

namespace Postern.Tests.Gateway.Inspect;

public sealed class MessageTests
{
    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":-7,"method":"ping","params":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":"a","method":"x","params":{"name":"x","arguments":{"a":{"a":[{"a":1}]}}}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}""")]
    [InlineData(" \n{ \"jsonrpc\" : \"2.0\" , \"id\" : 1 , \"method\" : \"ping\" } \n")]
    public void A_well_formed_message_is_read(string json) => Assert.Null(Read(json).Error);

    [Theory]
    [InlineData("", -32700)]
    [InlineData("7", -32700)]
    [InlineData("[]", -32700)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping"} {}""", -32700)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping",}""", -32700)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping"/**/}""", -32700)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}""", -32700)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping","me\u0074hod":"tools/call"}""", -32700)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"x","params":{"arguments":{"b":[{"c":1,"c":2}]}}}""", -32700)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}""", -32700)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"x","params":{"\ud800":1}}""", -32700)]
    [InlineData("""{"jsonrpc":"1.0","id":1,"method":"ping"}""", -32600)]
    [InlineData("""{"id":1,"method":"ping"}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":null,"method":"ping"}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1.5,"method":"ping"}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1e3,"method":"ping"}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":{},"method":"ping"}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":7}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":""}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"Method":"ping"}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":7}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"message":"x"}}""", -32600)]
    public void Anything_else_is_refused_with_400(string json, int code)
    {
        var (_, error) = Read(json);

        Assert.Equal((code, 400), (error?.Code, error?.Status));
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"ID":2,"method":"ping"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","Params":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","ARGUMENTS":{}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_META":{}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a","URI":"b"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"Cursor":"b"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","requeststate":"b"}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","InputResponses":{}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskid":"a"}}""")]
    public void A_name_that_a_lax_reader_takes_for_one_of_the_protocols_is_refused(string json) =>
        Assert.Equal((-32600, 400), (Read(json).Error?.Code, Read(json).Error?.Status));

    [Fact]
    public void Names_inside_arguments_are_the_tools_own_affair() =>
        Assert.Null(Read(
            """{"jsonrpc":"2.0","id":1,"method":"x","params":{"name":"a","arguments":{"Name":"b","ID":1}}}""").Error);

    [Fact]
    public void A_body_that_is_not_utf8_is_refused() =>
        Assert.False(Message.TryRead(
            (byte[])[.. "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\""u8, 0xff, .. "\"}"u8], out _, out _));

    [Fact]
    public void Nesting_has_a_limit()
    {
        Assert.Null(Read(Nested(Message.MaxDepth - 3)).Error);
        Assert.NotNull(Read(Nested(Message.MaxDepth)).Error);

        static string Nested(int levels)
        {
            var nest = new string('[', levels) + new string(']', levels);
            return $$$"""{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":{{{nest}}} } }""";
        }
    }

    [Fact]
    public void An_object_of_very_many_members_is_refused()
    {
        var members = string.Join(',', Enumerable.Range(0, 5000).Select(i => $"\"m{i}\":0"));

        Assert.NotNull(Read($$$"""{"jsonrpc":"2.0","id":1,"method":"x","params":{ {{{members}}} }}""").Error);
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":"abc","method":7}""", "\"abc\"")]
    [InlineData("""{"jsonrpc":"2.0","id":12,"method":"x","params":{"a":1,"a":2}}""", "12")]
    [InlineData("""{"jsonrpc":"2.0","method":7""", "")]
    public void The_identifier_is_known_whenever_it_was_readable(string json, string id) =>
        Assert.Equal(id, Encoding.UTF8.GetString(Read(json).Message.RawId));

    [Fact]
    public void The_envelope_is_indexed_and_escaped_names_are_the_same_names()
    {
        var (message, error) = Read(
            """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"n\u0061me":"caf\u00e9",
              "_meta":{"io.modelcontextprotocol\/protocolVersion":"2026-07-28"}}}
            """);

        Assert.Null(error);
        Assert.Equal("café", message.Text(message.At("params"u8, "name"u8)));
        Assert.Equal("2026-07-28", message.Text(message.Meta("io.modelcontextprotocol/protocolVersion"u8)));
    }

    private static (Message Message, RpcError? Error) Read(string json)
    {
        Message.TryRead(Encoding.UTF8.GetBytes(json), out var message, out var error);
        return (message, error);
    }
}
