using System.Text.Json;
using Postern.Platform.Configuration;

namespace Postern.Hosting;

/// <summary>An MCP server that is a local command.</summary>
/// <param name="Command">Program and arguments; never read by a shell.</param>
/// <param name="Directory">The folder the command belongs to: readable inside, and where it starts.</param>
internal sealed record HostedCommand(
    TenantId Tenant, string Name, IReadOnlyList<string> Command, string Directory, SandboxSeed Sandbox)
{
    /// <summary>The server's name among those of all tenants; good as the name of a file, whatever it is made of.</summary>
    public string Key => KeyOf(Tenant, Name);

    /// <summary>Two commands with the same definition may be served by one process.</summary>
    public string Definition { get; } = JsonSerializer.Serialize(new
    {
        Command,
        Directory,
        Sandbox.Level,
        Sandbox.Network,
        Sandbox.Memory,
        Sandbox.Processes,
        Sandbox.Shared,
        Sandbox.Readable,
        Environment = Sandbox.Environment.OrderBy(pair => pair.Key, StringComparer.Ordinal),
    });

    public static string KeyOf(TenantId tenant, string server) => Uri.EscapeDataString($"{tenant.Value}~{server}");
}
