using System.Net;
using System.Text.RegularExpressions;

namespace Postern.Cli.Try;

/// <summary>
/// A form on one of the server's own pages, as a browser would send it: what stands in its fields, what is ticked, and
/// the button that is pressed. It reads what those pages are written in, not all of HTML.
/// </summary>
internal sealed partial class PageForm
{
    private const RegexOptions Options = RegexOptions.ExplicitCapture | RegexOptions.Singleline;
    private const int Patience = 1000;

    private readonly string html;
    private readonly List<KeyValuePair<string, string>> fields = [];

    private PageForm(string html, Dictionary<string, string> pressed)
    {
        this.html = html;
        foreach (var input in Input().Matches(html).Select(tag => Attributes(tag.Value)))
        {
            if (input.TryGetValue("name", out var name)
                && (input.GetValueOrDefault("type") is not ("checkbox" or "radio") || input.ContainsKey("checked")))
            {
                fields.Add(new(name, input.GetValueOrDefault("value", "")));
            }
        }

        if (pressed.TryGetValue("name", out var button))
        {
            fields.Add(new(button, pressed.GetValueOrDefault("value", "")));
        }
    }

    public IReadOnlyList<KeyValuePair<string, string>> Fields => fields;

    /// <summary>The form with a button of these words, that button pressed.</summary>
    public static PageForm? With(string words, string page)
    {
        foreach (var form in Form().Matches(page).Select(match => match.Value))
        {
            if (Button().Matches(form).FirstOrDefault(button => Words(button) == words) is { } found)
            {
                return new(form, Attributes(found.Groups["attributes"].Value));
            }
        }

        return null;
    }

    /// <summary>Writes into the field with this label.</summary>
    public void Fill(string label, string value)
    {
        var id = Label().Matches(html).FirstOrDefault(found => Words(found) == label)?.Groups["for"].Value;
        var inputs = Input().Matches(html).Select(tag => Attributes(tag.Value));
        var input = inputs.FirstOrDefault(tag => id is not null && tag.GetValueOrDefault("id") == id);
        if (input?.GetValueOrDefault("name") is not { } name)
        {
            throw new RefusalException($"The page has no field {label}.");
        }

        fields.RemoveAll(field => field.Key == name);
        fields.Add(new(name, value));
    }

    private static string Words(Match element) => element.Groups["words"].Value.Trim();

    private static Dictionary<string, string> Attributes(string tag)
    {
        var attributes = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (Match attribute in Attribute().Matches(tag))
        {
            attributes.TryAdd(attribute.Groups["name"].Value, WebUtility.HtmlDecode(attribute.Groups["value"].Value));
        }

        return attributes;
    }

    [GeneratedRegex("""<form\b.*?</form>""", Options, Patience)]
    private static partial Regex Form();

    [GeneratedRegex("""<input\b[^>]*>""", Options, Patience)]
    private static partial Regex Input();

    [GeneratedRegex("""<button\b(?<attributes>[^>]*)>(?<words>[^<]*)</button>""", Options, Patience)]
    private static partial Regex Button();

    [GeneratedRegex("""<label\b[^>]*\bfor="(?<for>[^"]*)"[^>]*>(?<words>[^<]*)</label>""", Options, Patience)]
    private static partial Regex Label();

    [GeneratedRegex("""(?<name>[A-Za-z][\w-]*)(="(?<value>[^"]*)")?""", Options, Patience)]
    private static partial Regex Attribute();
}
