using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Postern.Gateway.Inspect;
using Postern.Platform.Outbound;

namespace Postern.Gateway.Relay;

/// <summary>
/// Sends messages to one server. Nothing of the client's request is passed on but the message and the few headers named
/// here: its token, cookies and proofs are meant for the gateway alone.
/// </summary>
internal sealed class HttpRequests(HttpMessageInvoker http, Uri address)
{
    public const string SessionHeader = "Mcp-Session-Id";

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Line line, Outgoing? message, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, address);
        AddHeaders(request.Headers, line, message);
        request.Content = message is null
            ? null
            : new ReadOnlyMemoryContent(message.Body) { Headers = { ContentType = Json } };
        try
        {
            return await http.SendAsync(request, stop);
        }
        catch (HttpRequestException failure)
        {
            throw new UpstreamException(
                RpcError.Upstream($"The server could not be reached: {Cause(failure)}."), failure)
            {
                NothingWasSent = IsWithoutConnection(failure),
            };
        }
        catch (ObjectDisposedException failure)
        {
            throw new UpstreamException(RpcError.Upstream("The server was registered anew; call again.", 503), failure);
        }
        catch (TimeoutException failure)
        {
            throw new UpstreamException(RpcError.Upstream("The server did not answer in time.", 504), failure);
        }
    }

    private static void AddHeaders(HttpRequestHeaders headers, Line line, Outgoing? message)
    {
        headers.TryAddWithoutValidation(
            "Accept", message is null ? "text/event-stream" : "application/json, text/event-stream");
        headers.TryAddWithoutValidation(Agreement.VersionHeader, line.Version);
        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } trace })
        {
            headers.TryAddWithoutValidation("traceparent", trace);
        }

        if (line.SessionId is not null)
        {
            headers.TryAddWithoutValidation(SessionHeader, line.SessionId);
        }

        if (message is null)
        {
            return;
        }

        if (line.Era is Era.Modern)
        {
            headers.TryAddWithoutValidation(Agreement.MethodHeader, message.Method);
        }

        if (line.Era is Era.Modern && message.Name is { } name)
        {
            headers.TryAddWithoutValidation(Agreement.NameHeader, HeaderValue.Encode(name));
        }

        foreach (var (header, value) in message.Headers)
        {
            headers.TryAddWithoutValidation(header, value);
        }
    }

    // Only what comes before there is a connection to write to; of anything else nobody knows how far it came.
    private static bool IsWithoutConnection(HttpRequestException failure) =>
        failure.HttpRequestError is HttpRequestError.NameResolutionError
        || failure.InnerException is AddressRefusedException
            or SocketException { SocketErrorCode: SocketError.ConnectionRefused };

    private static string Cause(HttpRequestException failure) => failure switch
    {
        { InnerException: AddressRefusedException } => "its address is private, and outbound.allow does not name it",
        { HttpRequestError: HttpRequestError.NameResolutionError } => "its name does not resolve",
        { HttpRequestError: HttpRequestError.SecureConnectionError } => "its certificate is not trusted",
        { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } => "connection refused",
        { HttpRequestError: HttpRequestError.ConnectionError } => "no connection",
        _ => "it broke the connection",
    };
}
