using Microsoft.AspNetCore.Http.HttpResults;
using Postern.Platform.Http;

namespace Postern.Platform.Pages;

/// <summary>
/// Serves the embedded files under names that change with their content, so browsers may keep them for ever.
/// </summary>
internal static class AssetEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/assets/{file}", Send).Open();

    private static Results<FileContentHttpResult, NotFound> Send(string file, HttpResponse response)
    {
        if (PageAssets.Find(file) is not { } asset)
        {
            return TypedResults.NotFound();
        }

        response.Headers.CacheControl = "public, max-age=31536000, immutable";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
        response.Headers.ContentSecurityPolicy = "default-src 'none'";
        return TypedResults.Bytes(asset.Content, asset.Type);
    }
}
