using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Postern.Hosting.Sandbox;

/// <summary>
/// Starts every hosted process from one thread that lives as long as we do. A child that dies with its parent dies with
/// the <i>thread</i> that made it (<c>PR_SET_PDEATHSIG</c>), and threads of the pool come and go.
/// </summary>
internal sealed class LaunchThread : IDisposable
{
    private readonly BlockingCollection<(ProcessStartInfo Start, TaskCompletionSource<Process> Started)> waiting = [];

    public LaunchThread() => new Thread(Run) { IsBackground = true, Name = "hosted servers" }.Start();

    public Task<Process> StartAsync(ProcessStartInfo start)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting.Add((start, started));
        return started.Task;
    }

    public void Dispose() => waiting.CompleteAdding();

    private void Run()
    {
        foreach (var (start, started) in waiting.GetConsumingEnumerable())
        {
            try
            {
                CloseOnExecute();
                started.SetResult(Process.Start(start)!);
            }
            catch (Exception problem)
            {
                started.SetException(problem);
            }
        }
    }

    // What was opened without care, by us, by a library or by whoever started us, must not reach a child.
    private static void CloseOnExecute()
    {
        const int CloseOnExec = 4;
        try
        {
            if (NativeMethods.close_range(3, int.MaxValue, CloseOnExec) is not 0)
            {
                throw new IOException($"Open files cannot be kept from a child: {Marshal.GetLastPInvokeError()}.");
            }
        }
        catch (EntryPointNotFoundException problem)
        {
            throw new IOException("Open files cannot be kept from a child: the C library has no close_range.", problem);
        }
    }

    private static class NativeMethods
    {
        [DllImport("libc", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int close_range(uint first, uint last, int flags);
    }
}
