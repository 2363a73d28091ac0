using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Postern.Platform.Keys;
using Postern.Platform.Outbound;

namespace Postern.Approvals;

/// <summary>
/// Where a client wants to hear that there is an answer, and the token by which it knows that we say so.
/// </summary>
internal sealed record Callback(string Address, Secret Token)
{
    private const int MinToken = 22, MaxToken = 1024;

    public static readonly string Expectation =
        $"client_notification_token is a bearer token of {MinToken} to {MaxToken} characters.";

    // RFC 6750 §2.1.
    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    public static bool IsToken(string? token) =>
        token is { Length: >= MinToken and <= MaxToken } && !token.AsSpan().ContainsAnyExcept(Characters);
}

/// <summary>
/// Tells clients that there is an answer (CIBA Core §10.2), never what it is. Nobody waits for it, and a client that
/// does not hear comes to ask.
/// </summary>
internal sealed partial class Pings(
    SafeHttp outbound, AskCodes codes, Sealer sealer, TimeProvider clock, ILogger<Pings> logger)
{
    private const string Purpose = "notification";

    /// <summary>Under way at one time; what is beyond is not sent.</summary>
    private const int Most = 100;

    private static readonly TimeSpan[] Pauses = [TimeSpan.Zero, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10)];

    private static readonly FetchRules Rules = new(16 * 1024, TimeSpan.FromSeconds(5)) { Asks = "*/*" };

    private int underWay;

    public string Seal(Ask ask, Callback callback) => sealer.Seal(
        ask.Tenant, Purpose, Encoding.UTF8.GetBytes($"{callback.Address}\n{callback.Token.Reveal()}"), Context(ask));

    /// <summary>Sends the news of a question that was just answered, if its client wants it.</summary>
    public void Send(Ask ask)
    {
        if (ask.Notify is not { } text
            || sealer.Open(ask.Tenant, Purpose, text, Context(ask)) is not { } plain
            || Encoding.UTF8.GetString(plain).Split('\n') is not [var address, var token])
        {
            return;
        }

        if (Interlocked.Increment(ref underWay) > Most)
        {
            Interlocked.Decrement(ref underWay);
            return;
        }

        _ = SendAsync(ask, address, token);
    }

    private async Task SendAsync(Ask ask, string address, string token)
    {
        try
        {
            foreach (var pause in Pauses)
            {
                await Task.Delay(pause, clock);
                if (await IsHeardAsync(ask, address, token))
                {
                    return;
                }
            }
        }
        catch (Exception failure)
        {
            Log.NotTold(logger, failure);
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }
    }

    // CIBA Core §10.2: redirects are not followed, and what a client refuses is not sent again.
    private async Task<bool> IsHeardAsync(Ask ask, string address, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address);
        request.Headers.Authorization = new("Bearer", token);
        request.Content = new StringContent(
            $$"""{"{{AskCodes.Parameter(ask.Way)}}":"{{codes.Of(ask)}}"}""",
            Encoding.UTF8,
            new MediaTypeHeaderValue("application/json"));
        return await outbound.SendAsync(request, Rules, CancellationToken.None)
            is FetchOutcome.Answered { Status: < HttpStatusCode.InternalServerError };
    }

    private static byte[] Context(Ask ask) => Encoding.ASCII.GetBytes(ask.Id.Value);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "A client was not told that its question is answered")]
        public static partial void NotTold(ILogger logger, Exception cause);
    }
}
