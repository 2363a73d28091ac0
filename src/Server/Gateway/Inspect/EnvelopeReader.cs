using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Postern.Gateway.Inspect;

/// <summary>
/// Walks a message once. Members that occur twice in an object are refused at any depth: of two parsers one takes the
/// first and one the last, and policy would judge another call than the one that runs.
/// </summary>
internal ref struct EnvelopeReader
{
    private const int NotIndexed = -1;

    private readonly ReadOnlyMemory<byte> bytes;
    private readonly List<Member> members;
    private NameStack names;
    private Utf8JsonReader reader;

    private EnvelopeReader(ReadOnlyMemory<byte> bytes, int depth)
    {
        this.bytes = bytes;
        members = new(16);
        names = new();
        reader = new(bytes.Span, new JsonReaderOptions { MaxDepth = depth });
    }

    /// <summary>What could be indexed, and in <paramref name="because"/> why the rest could not.</summary>
    public static List<Member> Read(ReadOnlyMemory<byte> bytes, int depth, out string? because)
    {
        if (!Utf8.IsValid(bytes.Span))
        {
            because = "The body is not UTF-8.";
            return [];
        }

        var walk = new EnvelopeReader(bytes, depth);
        try
        {
            because = walk.ReadMessage();
        }
        catch (JsonException)
        {
            because = $"The body is not one JSON value of at most {depth} levels.";
        }
        catch (InvalidOperationException)
        {
            // A name with half of a surrogate pair.
            because = "A member's name is not Unicode text.";
        }
        finally
        {
            walk.names.Return();
        }

        return walk.members;
    }

    private string? ReadMessage()
    {
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject)
        {
            return "The body is not a JSON object.";
        }

        // What follows the object is refused by the last Read.
        return ReadObject(-1, level: 0) ?? (reader.Read() ? "More than one JSON value." : null);
    }

    private string? ReadValue(int member, int level) => reader.TokenType switch
    {
        JsonTokenType.StartObject => ReadObject(member, level),
        JsonTokenType.StartArray => ReadArray(),
        _ => null,
    };

    private string? ReadArray()
    {
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
        {
            if (ReadValue(-1, NotIndexed) is { } because)
            {
                return because;
            }
        }

        return null;
    }

    private string? ReadObject(int parent, int level)
    {
        var first = names.Count;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var name = Name();
            if (!names.TryPush(name, first))
            {
                return "An object has a member twice, or more than 4096 members.";
            }

            if (ReadMember(name, parent, level) is { } because)
            {
                return because;
            }
        }

        names.Count = first;
        return null;
    }

    private string? ReadMember(ReadOnlyMemory<byte> name, int parent, int level)
    {
        reader.Read();
        var (start, type, index) = ((int)reader.TokenStartIndex, reader.TokenType, members.Count);
        if (level >= 0)
        {
            members.Add(new(parent, name, default));
        }

        if (ReadValue(index, LevelBelow(level, name.Span)) is { } because)
        {
            return because;
        }

        if (level >= 0)
        {
            members[index] = new(parent, name, new(start, (int)reader.BytesConsumed - start, type));
        }

        return null;
    }

    private static int LevelBelow(int level, ReadOnlySpan<byte> name) => level switch
    {
        0 when name.SequenceEqual("params"u8) || name.SequenceEqual("result"u8) || name.SequenceEqual("error"u8) => 1,
        1 when name.SequenceEqual("_meta"u8) => 2,
        _ => NotIndexed,
    };

    private ReadOnlyMemory<byte> Name() => reader.ValueIsEscaped
        ? Encoding.UTF8.GetBytes(reader.GetString()!)
        : bytes.Slice((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
}
