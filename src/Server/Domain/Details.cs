using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Postern.Domain;

/// <summary>
/// Authorization details (RFC 9396): each allows something by itself. Read strictly: what is not understood would make
/// a wider grant than was asked for.
/// </summary>
public sealed class Details
{
    /// <summary>The types that are taken.</summary>
    public static readonly IReadOnlySet<string> Types = DetailReader.Types;

    internal const int MaxCount = 16;

    /// <summary>The types of all there are in some lists of them.</summary>
    internal static IReadOnlyList<string> TypesOf(IEnumerable<Details?> all) =>
        [.. all.SelectMany(details => details?.All ?? []).Select(detail => detail.Type).Distinct()];

    internal Details(IReadOnlyList<Detail> all)
    {
        All = all;
        Tools = all.Any(detail => detail.Actions is not null)
            ? [.. all.SelectMany(detail => detail.Actions ?? []).Distinct(StringComparer.Ordinal)]
            : null;
    }

    public IReadOnlyList<Detail> All { get; }

    /// <summary>The tools they name; null when they name none, which is no limit on tools.</summary>
    public IReadOnlyList<string>? Tools { get; }

    /// <summary>Those of one type.</summary>
    public IEnumerable<Detail> Of(string type) => All.Where(detail => detail.Type == type);

    /// <summary>Reads them as they come (RFC 9396 §2); null for anything that is not exactly understood.</summary>
    public static Details? Parse(string json) => DetailReader.Read(json);

    public bool IsWithin(Details other) => All.All(detail => other.All.Any(detail.IsWithin));

    /// <summary>What both allow.</summary>
    public Details Intersect(Details other) => new(
        [.. from own in All from theirs in other.All
            let both = own.Intersect(theirs) where both is not null select both]);

    /// <summary>The same with these tools alone.</summary>
    public Details For(IReadOnlyCollection<string> tools) =>
        new([.. All.Select(one => one.For(tools)).OfType<Detail>()]);

    /// <summary>
    /// Where one stands that is one of these, or was narrowed from one; -1 for one that has nothing to do with them.
    /// </summary>
    public int PlaceOf(Detail detail)
    {
        for (var i = 0; i < All.Count; i++)
        {
            if (ReferenceEquals(All[i], detail))
            {
                return i;
            }
        }

        return All.Index().Where(one => detail.Narrows(one.Item)).Select(one => one.Index).DefaultIfEmpty(-1).First();
    }

    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var detail in All)
        {
            DetailWriter.Write(json, detail);
        }

        json.WriteEndArray();
    }

    /// <summary>The one spelling of them.</summary>
    public override string ToString()
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            WriteTo(json);
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
