using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Postern.Hosting.Sandbox;

/// <summary>
/// Control groups below our own, version 2 where its controllers are delegated to us, else version 1. They hold a
/// whole sandbox together: its memory, its processes, its share of the processor.
/// </summary>
internal sealed class ControlGroups
{
    private const string Mount = "/sys/fs/cgroup", Prefix = "postern-";

    private static readonly string[] Controllers = ["memory", "pids", "cpu"], Needed = ["memory", "pids"];

    private static int made;

    private readonly string[] parents;

    private ControlGroups(string version, string[] parents) => (Version, this.parents) = (version, parents);

    /// <summary>What to tell an operator.</summary>
    public string Version { get; }

    /// <summary>The groups we may make; null where the system gives us none.</summary>
    public static ControlGroups? Find()
    {
        try
        {
            var lines = File.ReadAllLines("/proc/self/cgroup");
            return FindSecond(lines) ?? FindFirst(lines);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public ControlGroup Make(long memory, long processes)
    {
        var name = $"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref made)}";
        var group = new ControlGroup(Array.ConvertAll(parents, parent => Path.Combine(parent, name)), memory);
        group.Make(processes);
        return group;
    }

    private static ControlGroups? FindSecond(string[] lines)
    {
        if (Array.Find(lines, line => line.StartsWith("0::", StringComparison.Ordinal)) is not { } line
            || !File.Exists(Path.Combine(Mount, "cgroup.controllers")))
        {
            return null;
        }

        var own = Mount + line["0::".Length..].TrimEnd('/');
        return Delegates(own) ? Usable("2", [own]) : null;
    }

    // A group that hands controllers down may hold no process itself, so we step into a leaf first. This works where
    // the group is ours alone, as under systemd with Delegate=yes.
    private static bool Delegates(string own)
    {
        var (handed, ours) = (Path.Combine(own, "cgroup.subtree_control"), Path.Combine(own, "cgroup.controllers"));
        if (HasControllers(handed))
        {
            return true;
        }

        if (!HasControllers(ours))
        {
            return false;
        }

        var leaf = Path.Combine(own, "postern");
        try
        {
            Directory.CreateDirectory(leaf);
            File.WriteAllText(Path.Combine(leaf, "cgroup.procs"), "0");
            // All or nothing: one that we were not given, as cpu often is not, and none is handed down.
            var given = Controllers.Intersect(File.ReadAllText(ours).Split()).Select(controller => "+" + controller);
            File.WriteAllText(handed, string.Join(' ', given));
            return true;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool HasControllers(string file) =>
        File.Exists(file) && !Needed.Except(File.ReadAllText(file).Split()).Any();

    private static ControlGroups? FindFirst(string[] lines)
    {
        var found = Array.ConvertAll(Controllers, controller => ParentOf(controller, lines));
        return found.Contains(null) ? null : Usable("1", found!);
    }

    // Inside a container the path in /proc may be one of the host; then our group is what is mounted.
    private static string? ParentOf(string controller, string[] lines)
    {
        var mount = Path.Combine(Mount, controller);
        var own = lines.Select(line => line.Split(':', 3))
            .FirstOrDefault(parts => parts is [_, var names, _] && names.Split(',').Contains(controller))?[2];
        return own is null || !Directory.Exists(mount) ? null
            : Directory.Exists(mount + own) ? mount + own
            : mount;
    }

    private static ControlGroups? Usable(string version, string[] parents)
    {
        var groups = new ControlGroups(version, parents);
        try
        {
            groups.Sweep();
            groups.Make(memory: 64 << 20, processes: 8).Remove();
            return groups;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // What a server that was killed left behind: empty groups, and at level none perhaps somebody in them.
    private void Sweep()
    {
        foreach (var left in parents.SelectMany(parent => Directory.GetDirectories(parent, Prefix + "*-*")))
        {
            var owner = Path.GetFileName(left)[Prefix.Length..].Split('-')[0];
            if (owner.All(char.IsAsciiDigit) && !Directory.Exists($"/proc/{owner}"))
            {
                var group = new ControlGroup([left], memory: 0);
                group.KillRest();
                group.Remove();
            }
        }
    }
}

/// <summary>The control group of one sandbox: one folder (version 2), or one for each controller (version 1).</summary>
internal sealed class ControlGroup(string[] folders, long memory)
{
    public IReadOnlyList<string> Folders => folders;

    public void Make(long processes)
    {
        foreach (var folder in folders)
        {
            Directory.CreateDirectory(folder);
            Set(folder, "memory.max", memory); // version 2
            Set(folder, "memory.swap.max", 0);
            Set(folder, "memory.oom.group", 1);
            Set(folder, "memory.limit_in_bytes", memory); // version 1
            Set(folder, "memory.memsw.limit_in_bytes", memory);
            Set(folder, "pids.max", processes);
            Set(folder, "cpu.max", 100_000); // one processor of however many
            Set(folder, "cpu.cfs_quota_us", 100_000);
        }
    }

    /// <summary>The kernel ended something in here for taking more memory than allowed.</summary>
    public bool RanOutOfMemory() =>
        folders.Any(folder => Counts(folder, "memory.events") || Counts(folder, "memory.oom_control"));

    /// <summary>Ends what is left in the group, and removes it when the kernel has noted that it is empty.</summary>
    public async Task RemoveAsync(TimeProvider clock)
    {
        for (var i = 0; i < 20 && !Array.TrueForAll(folders, TryRemove); i++)
        {
            KillRest();
            await Task.Delay(TimeSpan.FromMilliseconds(50), clock);
        }
    }

    public void Remove() => Array.ForEach(folders, folder => TryRemove(folder));

    private static bool TryRemove(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder); // the files in it are the kernel's and go with it
            }

            return true;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // Without a namespace around them, grandchildren outlive the command; the group still knows them.
    internal void KillRest()
    {
        try
        {
            foreach (var line in File.ReadLines(Path.Combine(folders[0], "cgroup.procs")))
            {
                using var left = Process.GetProcessById(int.Parse(line, CultureInfo.InvariantCulture));
                left.Kill();
            }
        }
        catch (Exception end) when (
            end is IOException or ArgumentException or InvalidOperationException or Win32Exception)
        {
            // It ended meanwhile. What did not is seen in the next round.
        }
    }

    private static void Set(string folder, string file, long value)
    {
        var path = Path.Combine(folder, file);
        if (File.Exists(path))
        {
            File.WriteAllText(path, value.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static bool Counts(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        return File.Exists(path) && File.ReadLines(path).Any(line =>
            line.StartsWith("oom_kill ", StringComparison.Ordinal) && line is not "oom_kill 0");
    }
}
