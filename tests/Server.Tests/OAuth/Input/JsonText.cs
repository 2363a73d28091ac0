using System.Text;

namespace Postern.Tests.OAuth.Input;

/// <summary>
/// JSON of members whose values are JSON texts, so that one may be of every type, twice, or no text at all. A name with
/// dots stands for a member of a member.
/// </summary>
internal static class JsonText
{
    public static byte[] Of(IEnumerable<(string Name, string? Value)> members)
    {
        var parts = Text(members).Split(Attempt.NoText).Select(Encoding.UTF8.GetBytes).ToList();
        return [.. parts[0], .. parts.Skip(1).SelectMany(part => (byte[])[0xff, 0xfe, .. part])];
    }

    /// <summary>Values of the wrong form, for members as <see cref="Attempt"/> has them for parameters.</summary>
    public static IEnumerable<KeyValuePair<(string, Wrong), Func<Task<string>>>> Wrongs(
        IEnumerable<string> members, int most = 17_000) =>
        members.SelectMany(member => new[]
        {
            KeyValuePair.Create((member, Wrong.Empty), Be("\"\"")),
            KeyValuePair.Create((member, Wrong.Long), Be($"\"{new string('x', most)}\"")),
            KeyValuePair.Create((member, Wrong.Type), Be("7.5")),
            KeyValuePair.Create((member, Wrong.Encoding), Be($"\"{Attempt.NoText}\"")),
        });

    private static Func<Task<string>> Be(string value) => () => Task.FromResult(value);

    public static string Text(IEnumerable<(string Name, string? Value)> members)
    {
        var parts = new List<string>();
        var inner = new Dictionary<string, List<(string, string?)>>(StringComparer.Ordinal);
        foreach (var (name, value) in members)
        {
            if (name.Split('.', 2) is not [var outside, var rest])
            {
                parts.Add($"\"{name}\":{value}");
                continue;
            }

            inner.TryAdd(outside, []);
            inner[outside].Add((rest, value));
        }

        return $"{{{string.Join(',', parts.Concat(inner.Select(one => $"\"{one.Key}\":{Text(one.Value)}")))}}}";
    }
}
