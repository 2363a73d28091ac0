using System.Net;
using System.Text.Json;

namespace Postern.AspNetCore.Keys;

/// <summary>
/// What a pinned issuer publishes: its metadata (RFC 8414 §3, or OpenID Connect Discovery), which must repeat its name
/// exactly, and what that leads to.
/// </summary>
internal sealed class IssuerDocuments(string issuer, bool allowInsecureHttpForTests)
{
    /// <summary>The address that the metadata gives under this name.</summary>
    /// <exception cref="FormatException">The metadata speaks for another issuer, or names no https address.</exception>
    public async Task<Uri> AddressAsync(HttpClient client, string name, CancellationToken stop)
    {
        foreach (var uri in MetadataUris())
        {
            if (await GetAsync(client, uri, stop) is not { } document)
            {
                continue;
            }

            using var metadata = JsonDocument.Parse(document);

            // RFC 8414 §3.3: otherwise one issuer could speak for another.
            return metadata.RootElement.GetProperty("issuer").GetString() == issuer
                ? Checked(new(metadata.RootElement.GetProperty(name).GetString()!))
                : throw new FormatException($"{uri} speaks for another issuer.");
        }

        throw new HttpRequestException("No metadata was found.");
    }

    /// <summary>A small document; null when there is none.</summary>
    public async Task<byte[]?> GetAsync(HttpClient client, Uri uri, CancellationToken stop)
    {
        using var answer = await client.GetAsync(Checked(uri), HttpCompletionOption.ResponseHeadersRead, stop);
        return answer.StatusCode is HttpStatusCode.OK ? await ReadAsync(answer, stop) : null;
    }

    /// <summary>The body of an answer, if it is not too long.</summary>
    public static async Task<byte[]> ReadAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(stop);
        var buffer = new byte[RemoteKeys.MaxDocumentLength + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop);
        return length <= RemoteKeys.MaxDocumentLength
            ? buffer[..length]
            : throw new FormatException($"{answer.RequestMessage?.RequestUri} is too long.");
    }

    private Uri Checked(Uri uri) =>
        uri.Scheme == Uri.UriSchemeHttps || (allowInsecureHttpForTests && uri.Scheme == Uri.UriSchemeHttp)
            ? uri
            : throw new FormatException($"{uri} is not https.");

    // RFC 8414 §3.1 and §5, and OpenID Connect Discovery §4, in the order in which MCP clients look.
    private IEnumerable<Uri> MetadataUris()
    {
        var uri = new Uri(issuer);
        var (origin, path) = (uri.GetLeftPart(UriPartial.Authority), uri.AbsolutePath.TrimEnd('/'));
        yield return new($"{origin}/.well-known/oauth-authorization-server{path}");
        yield return new($"{origin}/.well-known/openid-configuration{path}");
        if (path is not "")
        {
            yield return new($"{origin}{path}/.well-known/openid-configuration");
        }
    }
}
