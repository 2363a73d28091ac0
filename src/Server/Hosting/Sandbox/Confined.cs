using System.Diagnostics;

namespace Postern.Hosting.Sandbox;

/// <summary>A started command and what holds it.</summary>
/// <param name="Process">The sandbox, or the command itself where there is none.</param>
/// <param name="Group">Its control group, where there are any.</param>
/// <param name="IsShutIn">Ending the sandbox ends everything in it.</param>
internal sealed record Confined(Process Process, ControlGroup? Group, bool IsShutIn)
{
    public bool RanOutOfMemory() => Group?.RanOutOfMemory() is true;

    public void Kill() => Process.Kill(entireProcessTree: !IsShutIn);

    public async Task DisposeAsync(TimeProvider clock)
    {
        Process.Dispose();
        await (Group?.RemoveAsync(clock) ?? Task.CompletedTask);
    }
}
