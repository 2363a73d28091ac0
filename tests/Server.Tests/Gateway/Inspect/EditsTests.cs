using System.Buffers;
using System.Text;
using Postern.Gateway.Inspect;

namespace Postern.Tests.Gateway.Inspect;

public sealed class EditsTests
{
    private const string England = "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F";

    [Fact]
    public void Edits_are_spliced_in_whatever_order_they_were_named()
    {
        var source = "{\"a\":1,\r\n\"b\":{}}"u8.ToArray();
        var edits = new Edits();
        edits.Append(source, new(0, source.Length, default), "\"d\":4"u8);
        edits.Append(source, new(13, 2, default), "\"c\":3"u8);
        edits.Replace(5, 1, "77"u8.ToArray());

        Assert.Equal("{\"a\":77,  \"b\":{\"c\":3},\"d\":4}", Written(edits, source));
    }

    [Theory]
    [InlineData("{\"t\":\"a\U000E0041b\U000E007F\"}", "{\"t\":\"ab\"}")]
    [InlineData("""{"t":"a\udb40\udc41b\uDB40\uDC7f"}""", """{"t":"ab"}""")]
    [InlineData("""{"t":"a\\udb40\\udc41"}""", """{"t":"a\\udb40\\udc41"}""")]
    [InlineData($"{{\"t\":\"{England}\"}}", $"{{\"t\":\"{England}\"}}")]
    public void Invisible_tags_are_taken_out_and_flags_stay(string json, string stripped)
    {
        var source = Encoding.UTF8.GetBytes(json);
        var edits = new Edits();
        HiddenText.Strip(source, edits);

        Assert.Equal(stripped, Written(edits, source));
    }

    private static string Written(Edits edits, byte[] source)
    {
        var writer = new ArrayBufferWriter<byte>();
        edits.WriteTo(source, writer);
        return Encoding.UTF8.GetString(writer.WrittenSpan);
    }
}
