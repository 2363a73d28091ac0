using Postern.Platform.Configuration;
using Postern.Servers;

namespace Postern.Hosting;

/// <summary>An MCP server that is a local command.</summary>
/// <param name="Command">Program and arguments; never read by a shell.</param>
/// <param name="Directory">The folder the command belongs to: readable inside, and where it starts.</param>
internal sealed record HostedCommand(
    TenantId Tenant, string Name, IReadOnlyList<string> Command, string Directory, SandboxSeed Sandbox)
{
    /// <summary>A server's command, as it is started in a folder.</summary>
    /// <param name="server">A server that is a command, which always has sandbox settings.</param>
    /// <param name="folder">Where paths in the command begin. Services run in <c>/</c>, and are shown none.</param>
    public static HostedCommand Of(McpServer server, string folder) => new(
        server.Tenant, server.Name, server.Command, folder is "/" ? "/usr" : folder, server.Sandbox!);

    /// <summary>The server's name among those of all tenants; good as a file's name, whatever it is made of.</summary>
    public string Key => KeyOf(Tenant, Name);

    public static string KeyOf(TenantId tenant, string server) => Uri.EscapeDataString($"{tenant.Value}~{server}");

    /// <summary>A process of this definition can serve the other: nothing that it was started with differs.</summary>
    public bool Serves(HostedCommand other) => ReferenceEquals(this, other)
        || (Directory == other.Directory
            && Command.SequenceEqual(other.Command)
            && Sandbox.Readable.SequenceEqual(other.Sandbox.Readable)
            && Sandbox.Environment.OrderBy(each => each.Key, StringComparer.Ordinal)
                .SequenceEqual(other.Sandbox.Environment.OrderBy(each => each.Key, StringComparer.Ordinal))
            && Sandbox == other.Sandbox with { Readable = Sandbox.Readable, Environment = Sandbox.Environment });
}
