using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Postern.Platform.Http;

/// <summary>
/// Each address has one spelling. The router would take <c>/TOKEN</c>, <c>/token/</c> and <c>/%74oken</c> for
/// <c>/token</c>, and whoever filters by path in front of us would not.
/// </summary>
internal sealed class ExactPath(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (http.GetEndpoint() is RouteEndpoint route
            && !(IsAsWritten(http.Request.Path.Value ?? "", route.RoutePattern) && IsPlain(Raw(http))))
        {
            http.SetEndpoint(null);
        }

        return next(http);
    }

    private static ReadOnlySpan<char> Raw(HttpContext http)
    {
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.AsSpan();
        var query = target.IndexOf('?');
        return query < 0 ? target : target[..query];
    }

    private static bool IsAsWritten(ReadOnlySpan<char> path, RoutePattern pattern)
    {
        if (path is ['/', .., '/'])
        {
            return false;
        }

        var rest = path.TrimStart('/');
        foreach (var segment in pattern.PathSegments)
        {
            var end = rest.IndexOf('/');
            var own = end < 0 ? rest : rest[..end];
            if (segment.Parts is [RoutePatternLiteralPart literal]
                && !own.Equals(literal.Content, StringComparison.Ordinal))
            {
                return false;
            }

            rest = end < 0 ? "" : rest[(end + 1)..];
        }

        return true;
    }

    // RFC 3986 §6.2.2: nothing escaped that need not be, and no dot segments.
    private static bool IsPlain(ReadOnlySpan<char> raw)
    {
        foreach (var segment in raw.Split('/'))
        {
            if (raw[segment] is "." or ".." || HasNeedlessEscape(raw[segment]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool HasNeedlessEscape(ReadOnlySpan<char> segment)
    {
        for (var at = segment.IndexOf('%'); at >= 0; at = segment.IndexOf('%'))
        {
            segment = segment[(at + 1)..];
            if (segment.Length >= 2
                && byte.TryParse(
                    segment[..2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var one)
                && (char.IsAsciiLetterOrDigit((char)one) || one is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~'))
            {
                return true;
            }
        }

        return false;
    }
}
