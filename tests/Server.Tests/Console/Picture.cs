using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Postern.Tests.Console;

/// <summary>
/// Packs a browser's PNG (8 bits a channel, no alpha, not interlaced) to a third: a palette of the most frequent
/// colours that an eye can tell apart, which is all that pages of few colours need.
/// </summary>
internal static class Picture
{
    private const int Channels = 3, PaletteSize = 256, Alike = 12;

    public static byte[] Pack(ReadOnlySpan<byte> png)
    {
        var (header, data) = Read(png);
        var width = BinaryPrimitives.ReadInt32BigEndian(header);
        Assert.Equal([8, 2, 0, 0, 0], header[8..]);
        var pixels = Unfiltered(data, width);
        var palette = Palette(pixels);
        var places = pixels.Distinct().ToDictionary(colour => colour, colour => (byte)Nearest(palette, colour));

        using var rows = new MemoryStream();
        using (var packed = new ZLibStream(rows, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            foreach (var row in pixels.Chunk(width))
            {
                packed.Write([0, .. row.Select(colour => places[colour])]);
            }
        }

        header[9] = 3;
        return
        [
            .. png[..8],
            .. Chunk("IHDR", header),
            .. Chunk("PLTE", [.. palette.SelectMany(colour => (byte[])[colour.Red, colour.Green, colour.Blue])]),
            .. Chunk("IDAT", rows.ToArray()),
            .. Chunk("IEND", []),
        ];
    }

    private static (byte[] Header, byte[] Data) Read(ReadOnlySpan<byte> png)
    {
        byte[] header = [];
        using var packed = new MemoryStream();
        for (var at = 8; at < png.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(png[at..]);
            var content = png.Slice(at + 8, length);
            switch (Encoding.ASCII.GetString(png.Slice(at + 4, 4)))
            {
                case "IHDR": header = content.ToArray(); break;
                case "IDAT": packed.Write(content); break;
                default: break;
            }

            at += length + 12;
        }

        packed.Position = 0;
        using var data = new MemoryStream();
        using var unpacked = new ZLibStream(packed, CompressionMode.Decompress);
        unpacked.CopyTo(data);
        return (header, data.ToArray());
    }

    // PNG §9.2: each row says how it was predicted from the pixel to the left and the row above.
    private static List<(byte Red, byte Green, byte Blue)> Unfiltered(byte[] data, int width)
    {
        var (stride, above) = (width * Channels, new byte[width * Channels]);
        var pixels = new List<(byte, byte, byte)>(data.Length / Channels);
        for (var start = 0; start < data.Length; start += stride + 1)
        {
            var row = data.AsSpan(start + 1, stride);
            for (var x = 0; x < stride; x++)
            {
                var (left, corner) = x < Channels ? (0, 0) : (row[x - Channels], above[x - Channels]);
                row[x] += (byte)Predicted(data[start], left, above[x], corner);
            }

            for (var x = 0; x < stride; x += Channels)
            {
                pixels.Add((row[x], row[x + 1], row[x + 2]));
            }

            above = row.ToArray();
        }

        return pixels;
    }

    private static int Predicted(byte filter, int left, int up, int corner) => filter switch
    {
        1 => left,
        2 => up,
        3 => (left + up) / 2,
        4 => Paeth(left, up, corner),
        _ => 0,
    };

    private static int Paeth(int left, int up, int corner)
    {
        var guess = left + up - corner;
        return new[] { left, up, corner }.MinBy(known => Math.Abs(guess - known));
    }

    private static List<(byte Red, byte Green, byte Blue)> Palette(List<(byte Red, byte Green, byte Blue)> pixels)
    {
        var palette = new List<(byte Red, byte Green, byte Blue)>(PaletteSize);
        foreach (var (colour, _) in pixels.CountBy(colour => colour).OrderByDescending(count => count.Value))
        {
            if (palette.Count < PaletteSize && !palette.Exists(known => Distance(known, colour) < Alike))
            {
                palette.Add(colour);
            }
        }

        return palette;
    }

    private static int Nearest(
        List<(byte Red, byte Green, byte Blue)> palette, (byte Red, byte Green, byte Blue) colour) =>
        Enumerable.Range(0, palette.Count).MinBy(i => Distance(palette[i], colour));

    private static int Distance((byte Red, byte Green, byte Blue) one, (byte Red, byte Green, byte Blue) other) =>
        Math.Abs(one.Red - other.Red) + Math.Abs(one.Green - other.Green) + Math.Abs(one.Blue - other.Blue);

    private static byte[] Chunk(string type, ReadOnlySpan<byte> content)
    {
        var chunk = new byte[content.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        Encoding.ASCII.GetBytes(type, chunk.AsSpan(4));
        content.CopyTo(chunk.AsSpan(8));
        var sum = Crc(chunk.AsSpan(4, content.Length + 4));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(content.Length + 8), sum);
        return chunk;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) is 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
            }
        }

        return ~crc;
    }
}
