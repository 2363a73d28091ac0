using System.Collections.Concurrent;
using System.Text;
using Postern.Gateway.Relay;

namespace Postern.Gateway.Sessions;

/// <summary>
/// What was agreed with one legacy client at <c>initialize</c>, and what is under way with it on this node. The handle
/// is a name and no proof: every request is judged by its own token.
/// </summary>
internal sealed class LegacySession(string id, string server, string version, Line line)
{
    /// <summary>Requests of one session that may run at once.</summary>
    public const int MostRunning = 64;

    private readonly ConcurrentDictionary<string, Action> running = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource<string?>> asked = new(StringComparer.Ordinal);
    private long lastAsked;

    /// <summary>The hash of the handle.</summary>
    public string Id => id;

    public string Server => server;

    /// <summary>The revision agreed with the client.</summary>
    public string Version => version;

    public Line Line { get; set; } = line;

    public DateTimeOffset SeenAt { get; set; }

    /// <summary>Whether the owner of a request is the owner of the session, at this server.</summary>
    public bool IsOf(Principal caller, string at) => Line.Owner == caller && server == at;

    /// <summary>False when the client uses the identifier already, or has too much under way.</summary>
    public bool TryBegin(string requestId, Action cancel) =>
        running.Count < MostRunning && running.TryAdd(requestId, cancel);

    public void Finish(string requestId) => running.TryRemove(requestId, out _);

    /// <summary>The client no longer wants the answer to a request.</summary>
    public void Cancel(string requestId)
    {
        if (running.TryGetValue(requestId, out var cancel))
        {
            cancel();
        }
    }

    /// <summary>
    /// Takes the client's response to a question of the gateway; false when the question was not the gateway's.
    /// </summary>
    public bool TryAnswer(string requestId, string? result) =>
        asked.TryRemove(requestId, out var waiting) && waiting.TrySetResult(result);

    /// <summary>Asks the client on a stream and waits for it to post its result; null when that is an error.</summary>
    public async Task<string?> AskAsync(
        string method, string parameters, Func<byte[], Task> send, CancellationToken stop)
    {
        var askId = $"\"postern-{Interlocked.Increment(ref lastAsked)}\"";
        var waiting = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        asked[askId] = waiting;
        try
        {
            await send(Encoding.UTF8.GetBytes(
                $"{{\"jsonrpc\":\"2.0\",\"id\":{askId},\"method\":\"{method}\",\"params\":{parameters}}}"));
            return await waiting.Task.WaitAsync(stop);
        }
        finally
        {
            asked.TryRemove(askId, out _);
        }
    }
}
