using System.Collections.Concurrent;
using System.Text.Json;
using Postern.Gateway.Inspect;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>
/// Whose each task of a server is. Its name opens nothing: everybody but the one whose call began it is told that there
/// is no such task. Kept in memory of the node; after a restart a task is nobody's.
/// </summary>
internal sealed class TaskOwners
{
    private const int Most = 20_000, MaxName = 256;

    private readonly ConcurrentDictionary<(string Server, string Task), Principal> owners = new();
    private readonly ConcurrentQueue<(string Server, string Task)> order = new();

    /// <summary>Sees the response to a call; remembers the task that it announces.</summary>
    public void Notice(McpServer server, Principal caller, Message response)
    {
        var task = response.At("result"u8, "taskId"u8);
        if (task is not { Type: JsonTokenType.String, Length: <= MaxName } || response.Text(task) is not { } name)
        {
            return;
        }

        var key = (server.Name, name);
        if (owners.TryAdd(key, caller))
        {
            order.Enqueue(key);
        }

        while (owners.Count > Most && order.TryDequeue(out var oldest))
        {
            owners.TryRemove(oldest, out _);
        }
    }

    public bool Has(McpServer server, Principal caller, string? task) =>
        task is not null && owners.TryGetValue((server.Name, task), out var owner) && owner == caller;
}
