using System.Text.Json;
using Postern.Platform.Outbound;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Reads the members of client metadata. The first that is not what it must be refuses the whole, and is read as if it
/// were not there: so everything is read in one go, and asked about once.
/// </summary>
internal sealed class MetadataMembers(JsonElement root)
{
    private const int MaxText = 200, MaxUrl = 2000, MaxList = 20, MaxKeys = 10;

    /// <summary>What is wrong with the first member that is wrong; null while none is.</summary>
    public string? Refusal { get; private set; }

    public void Refuse(string why) => Refusal ??= why;

    public bool Has(string name) => root.TryGetProperty(name, out _);

    /// <summary>Whether it says something, and not merely nothing.</summary>
    public bool Says(string name) => Member(name) is not null;

    public string? Text(string name, int most = MaxText)
    {
        if (Member(name) is not { } member)
        {
            return null;
        }

        if (member.ValueKind is JsonValueKind.String && member.GetString() is { } text && text.Length <= most)
        {
            return text;
        }

        Refuse($"{name} is a text of at most {most} characters.");
        return null;
    }

    /// <summary>False when it is left out.</summary>
    public bool Flag(string name)
    {
        if (Member(name) is not { } member || member.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return Member(name)?.ValueKind is JsonValueKind.True;
        }

        Refuse($"{name} is true or false.");
        return false;
    }

    /// <summary>A whole number of things; null when it is left out.</summary>
    public long? Count(string name)
    {
        if (Member(name) is not { } member)
        {
            return null;
        }

        if (member.ValueKind is JsonValueKind.Number && member.TryGetInt64(out var count) && count >= 0)
        {
            return count;
        }

        Refuse($"{name} is a whole number.");
        return null;
    }

    /// <summary>One of a few words; null when it is left out.</summary>
    public string? OneOf(string name, IReadOnlyList<string> words)
    {
        var text = Text(name);
        if (text is null || words.Contains(text))
        {
            return text;
        }

        Refuse($"{name} is one of: {string.Join(", ", words)}.");
        return null;
    }

    /// <summary>
    /// A text that people are shown: nothing in it is unseen or turns around what stands beside it.
    /// </summary>
    public string? Shown(string name)
    {
        var text = Text(name);
        if (text is null || !Unseen.IsIn(text))
        {
            return text;
        }

        Refuse($"{name} has characters that cannot be seen, or that turn the text around.");
        return null;
    }

    /// <summary>An https address without user and fragment; null when it is left out.</summary>
    public string? Url(string name)
    {
        var text = Text(name, MaxUrl);
        if (text is null
            || (text.StartsWith("https://", StringComparison.Ordinal) && OutboundUrl.TryParse(text, out _)))
        {
            return text;
        }

        Refuse($"{name} is an https URL, without user, password or fragment.");
        return null;
    }

    /// <param name="name">The member.</param>
    /// <param name="most">Characters of one text.</param>
    public IReadOnlyList<string>? List(string name, int most = MaxText)
    {
        if (Member(name) is not { } member)
        {
            return null;
        }

        if (member.ValueKind is JsonValueKind.Array
            && member.GetArrayLength() <= MaxList
            && member.EnumerateArray().All(item => item.ValueKind is JsonValueKind.String)
            && member.EnumerateArray().Select(item => item.GetString()!).ToList() is var texts
            && texts.TrueForAll(text => text.Length <= most))
        {
            return texts;
        }

        Refuse($"{name} is a list of at most {MaxList} texts.");
        return null;
    }

    /// <summary>A set of public keys (RFC 7517 §5), as it came.</summary>
    public string? KeySet(string name)
    {
        if (Member(name) is not { } member)
        {
            return null;
        }

        if (member.ValueKind is JsonValueKind.Object
            && member.TryGetProperty("keys", out var keys)
            && keys.ValueKind is JsonValueKind.Array
            && keys.GetArrayLength() is > 0 and <= MaxKeys
            && keys.EnumerateArray().All(IsPublic))
        {
            return member.GetRawText();
        }

        Refuse($"{name} holds 1 to {MaxKeys} public keys under keys.");
        return null;
    }

    // A client that publishes its private key has no key.
    private static bool IsPublic(JsonElement key) =>
        key.ValueKind is JsonValueKind.Object
        && key.TryGetProperty("kty", out var type)
        && type.ValueKind is JsonValueKind.String
        && (type.ValueEquals("EC") || type.ValueEquals("RSA") || type.ValueEquals("OKP"))
        && !key.TryGetProperty("d", out _)
        && !key.TryGetProperty("k", out _);

    private JsonElement? Member(string name) =>
        root.TryGetProperty(name, out var member) && member.ValueKind is not JsonValueKind.Null ? member : null;
}
