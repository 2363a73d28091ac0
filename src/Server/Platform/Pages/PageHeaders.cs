namespace Postern.Platform.Pages;

/// <summary>What a browser is told about every page: run nothing foreign, frame it nowhere, keep no copy.</summary>
internal static class PageHeaders
{
    public static void Set(IHeaderDictionary headers, IReadOnlyList<string> formTargets)
    {
        headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; base-uri 'none'; "
            + $"frame-ancestors 'none'; form-action {string.Join(' ', formTargets)}";
        headers.XFrameOptions = "DENY";
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] =
            "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), "
            + "publickey-credentials-create=(self), publickey-credentials-get=(self)";
    }
}
