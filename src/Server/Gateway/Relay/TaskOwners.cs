using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Postern.Gateway.Inspect;
using Postern.Servers;

namespace Postern.Gateway.Relay;

/// <summary>
/// Whose each task of a server is. Its name opens nothing: everybody but the one whose call began it is told that there
/// is no such task. Kept in memory of the node while the server is registered; after a restart a task is nobody's.
/// </summary>
internal sealed class TaskOwners
{
    /// <summary>Tasks of one server that are remembered; the oldest make room.</summary>
    public const int MostPerServer = 2000;

    private const int MaxName = 256;

    private readonly ConditionalWeakTable<McpServer, Tasks> servers = [];

    /// <summary>Sees the response to a call; remembers the task that it announces.</summary>
    public void Notice(McpServer server, Principal caller, Message response)
    {
        var task = response.At("result"u8, "taskId"u8);
        if (task is { Type: JsonTokenType.String, Length: <= MaxName } && response.Text(task) is { } name)
        {
            servers.GetOrAdd(server, static _ => new()).Add(name, caller);
        }
    }

    public bool Has(McpServer server, Principal caller, string? task) =>
        task is not null && servers.TryGetValue(server, out var tasks) && tasks.OwnerOf(task) == caller;

    private sealed class Tasks
    {
        private readonly ConcurrentDictionary<string, Principal> owners = new(StringComparer.Ordinal);
        private readonly ConcurrentQueue<string> order = new();

        public Principal? OwnerOf(string task) => owners.GetValueOrDefault(task);

        public void Add(string task, Principal owner)
        {
            if (owners.TryAdd(task, owner))
            {
                order.Enqueue(task);
            }

            while (owners.Count > MostPerServer && order.TryDequeue(out var oldest))
            {
                owners.TryRemove(oldest, out _);
            }
        }
    }
}
