using System.Buffers.Binary;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Postern.Platform.Http;
using Postern.Platform.Keys;
using Postern.Platform.Tenants;

namespace Postern.Platform.Pages;

/// <summary>
/// The one way to read what a page of ours posts. It stops forms that another site made a browser send: the request
/// must say that it comes from our origin, and the form must hold a token sealed for this tenant, this browser and this
/// purpose.
/// </summary>
internal sealed class PageForms(Sealer sealer, TimeProvider clock)
{
    public const string TokenField = "form";

    /// <summary>The limits of one form; a consent form holds the sealed request and a line for every tool.</summary>
    private const int MaxBytes = 256 * 1024, MaxFields = 1100, MaxValue = 40 * 1024;

    /// <summary>How long a page may lie open before its form is refused.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(2);

    private static readonly FormOptions Limits = new()
    {
        ValueCountLimit = MaxFields,
        ValueLengthLimit = MaxValue,
        KeyLengthLimit = 64,
    };

    /// <summary>
    /// A token for one form; <paramref name="holder"/> is the browser or the session that is shown the page.
    /// </summary>
    public string Token(TenantId tenant, string purpose, string holder)
    {
        Span<byte> until = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(until, clock.GetUtcNow().Add(Lifetime).ToUnixTimeSeconds());
        return sealer.Seal(tenant, "form", until, Context(purpose, holder));
    }

    /// <summary>The fields of a form that our page sent for this holder; null for every other request.</summary>
    /// <param name="http">The request.</param>
    /// <param name="purpose">What the form is for.</param>
    /// <param name="holder">The browser or the session that was shown the page.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <param name="lists">The fields that a page of ours may have more than once; it has no other twice.</param>
    public async Task<IFormCollection?> ReadAsync(
        HttpRequest http, string purpose, string? holder, CancellationToken stop, params string[] lists)
    {
        if (holder is null || !IsOurs(http) || !http.HasUtf8Form)
        {
            return null;
        }

        if (http.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body)
        {
            body.MaxRequestBodySize = MaxBytes;
        }

        try
        {
            var form = await http.ReadFormAsync(Limits, stop);
            return IsValid(http.HttpContext.Tenant.Id, form[TokenField], purpose, holder)
                && form.All(field => field.Value.Count is 1 || lists.Contains(field.Key)) ? form : null;
        }
        catch (Exception failure) when (failure is InvalidDataException or BadHttpRequestException)
        {
            return null;
        }
    }

    private bool IsValid(TenantId tenant, string? token, string purpose, string holder) =>
        token is not null
        && sealer.Open(tenant, "form", token, Context(purpose, holder)) is { Length: sizeof(long) } until
        && BinaryPrimitives.ReadInt64BigEndian(until) > clock.GetUtcNow().ToUnixTimeSeconds();

    // Under our referrer policy a browser may say `Origin: null`; then its own word for where the request began counts.
    private static bool IsOurs(HttpRequest http) => http.Headers.Origin.ToString() switch
    {
        "" or "null" => http.Headers["Sec-Fetch-Site"] == "same-origin",
        var origin => origin == http.HttpContext.Tenant.Origin,
    };

    private static byte[] Context(string purpose, string holder) => Encoding.UTF8.GetBytes($"{purpose}\n{holder}");
}

/// <summary>What a page answers when its form was refused.</summary>
internal static class RefusedForm
{
    public static PageResult<ErrorPage, ErrorView> Page => new(new(
        "That did not come from our page",
        "We could not see that this form was opened in this browser, so we did nothing.",
        "Open the page again and repeat what you did."))
    {
        Status = StatusCodes.Status403Forbidden,
    };
}
