using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Postern.Platform.Http;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// The parameters of a form request (RFC 6749 §3.2), each at most once. An empty value counts as absent (§3.1);
/// unknown names are ignored.
/// </summary>
internal sealed class Form
{
    /// <summary>Bytes of one body, parameters in it, and characters of one value.</summary>
    public const int MaxBytes = 64 * 1024, MaxCount = 64, MaxValue = 16 * 1024;

    /// <summary>Characters of a name.</summary>
    private const int MaxName = 200;

    private readonly Dictionary<string, StringValues> fields;

    private Form(Dictionary<string, StringValues> fields) => this.fields = fields;

    public string? this[string name] =>
        fields.TryGetValue(name, out var values) && values is [{ Length: > 0 } value] ? value : null;

    /// <summary>Everything that was sent.</summary>
    public IEnumerable<KeyValuePair<string, StringValues>> All => fields;

    /// <param name="http">The request.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <param name="tooLarge">The status that says so; most standards want 400 for everything.</param>
    public static async ValueTask<Result<Form>> ReadAsync(
        HttpRequest http, CancellationToken stop, int tooLarge = StatusCodes.Status400BadRequest)
    {
        if (!http.HasUtf8Form)
        {
            return OAuthError.InvalidRequest("The body is application/x-www-form-urlencoded, in UTF-8.");
        }

        if (http.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body)
        {
            body.MaxRequestBodySize = MaxBytes;
        }

        try
        {
            // Without the framework's own form, which looks at the type of the body once more and keeps files.
            var read = await new FormPipeReader(http.BodyReader)
            {
                ValueCountLimit = MaxCount,
                ValueLengthLimit = MaxValue,
                KeyLengthLimit = MaxName,
            }.ReadFormAsync(stop);
            return Repeated(read, http) is { } repeated ? repeated : new Form(Exact(read));
        }
        catch (Exception failure) when (failure is InvalidDataException or BadHttpRequestException)
        {
            return OAuthError.InvalidRequest("The form is malformed or too large.") with
            {
                Status = failure is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }
                    ? tooLarge
                    : StatusCodes.Status400BadRequest,
            };
        }
    }

    // RFC 6749 §3.1: a parameter twice is two readers with two opinions. RFC 8707 §2 lets resource repeat; one token
    // has one audience here, so a second one is refused where it is read.
    private static OAuthError? Repeated(Dictionary<string, StringValues> read, HttpRequest http)
    {
        foreach (var (name, values) in read)
        {
            if (values.Count > 1 || (http.QueryString.HasValue && http.Query.ContainsKey(name)))
            {
                return name is "resource" or "audience"
                    ? OAuthError.InvalidTarget("Ask for one resource at a time.")
                    : OAuthError.InvalidRequest($"{(IsPlain(name) ? name : "A parameter")} must appear once.");
            }
        }

        return null;
    }

    // The reader takes SCOPE for scope; whoever filters in front of us does not (RFC 6749 §1.9).
    private static Dictionary<string, StringValues> Exact(Dictionary<string, StringValues> read) =>
        read.Keys.Any(name => name.AsSpan().ContainsAnyInRange('A', 'Z')) ? new(read, StringComparer.Ordinal) : read;

    private static bool IsPlain(string name) =>
        name.Length <= 40 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_');
}
