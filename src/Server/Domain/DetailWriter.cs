using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Postern.Domain;

/// <summary>Writes a detail in its one spelling, which its reader reads again.</summary>
internal static class DetailWriter
{
    public static void Write(Utf8JsonWriter json, Detail detail)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, detail.Type);
        foreach (var member in DetailReader.Schemas[detail.Type])
        {
            if (detail.Limits.TryGetValue(member.Name, out var limit))
            {
                json.WritePropertyName(member.Name);
                Write(json, limit);
            }
        }

        if (detail.Rate is not null || detail.Arguments.Any())
        {
            WriteConstraints(json, detail);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Limit limit)
    {
        switch (limit)
        {
            case Limit.Texts texts:
                json.WriteStartArray();
                texts.Values.ToList().ForEach(json.WriteStringValue);
                json.WriteEndArray();
                break;
            case Limit.Same same:
                json.WriteStringValue(same.Value);
                break;
            case Limit.Range range:
                json.WriteRawValue(Detail.Plain(range.Most));
                break;
            case Limit.Until until:
                json.WriteStringValue(until.At.ToString(DetailReader.TimeFormat, CultureInfo.InvariantCulture));
                break;
            default:
                throw new UnreachableException();
        }
    }

    private static void WriteConstraints(Utf8JsonWriter json, Detail detail)
    {
        json.WriteStartObject("constraints"u8);
        if (detail.Arguments.Any())
        {
            json.WriteStartObject("args"u8);
            json.WriteStartObject("properties"u8);
            foreach (var (name, limit) in detail.Arguments)
            {
                json.WriteStartObject(name);
                WriteArgument(json, limit);
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        if (detail.Rate is { } rate)
        {
            json.WriteNumber(Detail.Calls, rate.Calls);
            json.WriteString("per"u8, rate.Word);
        }

        json.WriteEndObject();
    }

    private static void WriteArgument(Utf8JsonWriter json, Limit limit)
    {
        if (limit is Limit.Texts texts)
        {
            json.WriteStartArray("enum"u8);
            texts.Values.ToList().ForEach(value => WriteScalar(json, value));
            json.WriteEndArray();
        }
        else if (limit is Limit.Range range)
        {
            if (range.Least > decimal.MinValue)
            {
                json.WritePropertyName("minimum"u8);
                json.WriteRawValue(Detail.Plain(range.Least));
            }

            if (range.Most < decimal.MaxValue)
            {
                json.WritePropertyName("maximum"u8);
                json.WriteRawValue(Detail.Plain(range.Most));
            }
        }
    }

    private static void WriteScalar(Utf8JsonWriter json, string value)
    {
        if (value[0] is 's')
        {
            json.WriteStringValue(value.AsSpan(1));
        }
        else
        {
            json.WriteRawValue(value[0] is 'n' ? value[1..] : value);
        }
    }
}
