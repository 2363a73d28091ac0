using System.Diagnostics.CodeAnalysis;

namespace Postern.Domain;

/// <summary>
/// A protected resource (RFC 8707): an absolute URI without fragment, kept as it is typed and compared as text.
/// A lone slash after a bare origin is dropped, because URL serializers add it.
/// </summary>
public sealed record Resource
{
    public const int MaxLength = 2000;

    private Resource(string value) => Value = value;

    public string Value { get; }

    public static bool TryParse(string? value, [NotNullWhen(true)] out Resource? resource)
    {
        resource = null;
        // A path alone would be the address of a file here.
        if (value is null or { Length: 0 or > MaxLength } or ['/', ..]
            || value.Any(c => c is <= ' ' or >= '\u007f' or '\\' or '"' or '<' or '>' or '#')
            || !Uri.TryCreate(value, UriKind.Absolute, out var uri)
            || uri.UserInfo is not "")
        {
            return false;
        }

        resource = new(uri.AbsolutePath is "/" && uri.Query is "" ? value.TrimEnd('/') : value);
        return true;
    }

    /// <summary>One that the program itself has made.</summary>
    public static Resource Of(string value) =>
        TryParse(value, out var resource) ? resource : throw new ArgumentException("Not a resource.", nameof(value));

    public override string ToString() => Value;
}
