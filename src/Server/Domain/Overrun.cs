using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Postern.Domain;

/// <summary>A number that was agreed to and would be passed, for whoever was refused because of it.</summary>
/// <param name="Type">The type of the detail.</param>
/// <param name="Member">Its member that holds the number.</param>
/// <param name="Limit">How much was agreed to.</param>
/// <param name="Left">How much of it is left.</param>
/// <param name="Asked">How much the call would take.</param>
internal sealed record Overrun(string Type, string Member, decimal Limit, decimal Left, decimal Asked)
{
    public const string AtATime = "max_per_tx", InAll = "max_total";

    /// <summary>What the numbers are of; null where they are calls.</summary>
    public string? Currency { get; init; }

    /// <summary>The length of time in which so many calls are allowed.</summary>
    public string? Per { get; init; }

    /// <summary>When all of it is there again; null for never.</summary>
    public DateTimeOffset? Resets { get; init; }

    public string Words => Member switch
    {
        AtATime => $"it costs {Of(Asked)}, and at most {Of(Limit)} at a time were agreed to",
        InAll => $"it costs {Of(Asked)}, and of the {Of(Limit)} agreed to in all {Of(Left)} are left for good",
        _ => $"the calls agreed to are used up for this {Per}: {Of(Limit)}, none is left until {Time}",
    };

    private string Time => Resets?.ToString(DetailReader.TimeFormat, CultureInfo.InvariantCulture) ?? "";

    public string ToJson()
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, Type);
            json.WriteString("member"u8, Member);
            Write(json, "limit", Limit);
            Write(json, "left", Left);
            Write(json, "asked", Asked);
            Write(json, "currency", Currency);
            Write(json, "per", Per);
            Write(json, "resets_at", Resets is null ? null : Time);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, string name, decimal number)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(Detail.Plain(number));
    }

    private static void Write(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
        {
            json.WriteString(name, text);
        }
    }

    private string Of(decimal number) =>
        Currency is null ? Detail.Plain(number) : $"{Detail.Plain(number)} {Currency}";
}
