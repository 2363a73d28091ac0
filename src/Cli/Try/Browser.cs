using System.ComponentModel;
using System.Diagnostics;

namespace Postern.Cli.Try;

/// <summary>The person's own browser.</summary>
internal static class Browser
{
    /// <summary>Whether there is a display for one.</summary>
    public static bool IsHere =>
        !OperatingSystem.IsLinux()
        || Environment.GetEnvironmentVariable("DISPLAY") is { Length: > 0 }
        || Environment.GetEnvironmentVariable("WAYLAND_DISPLAY") is { Length: > 0 };

    /// <summary>Opens a page; false when that cannot be done here.</summary>
    public static bool Open(Uri address)
    {
        if (!IsHere)
        {
            return false;
        }

        var start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo(address.AbsoluteUri) { UseShellExecute = true }
            : new(OperatingSystem.IsMacOS() ? "open" : "xdg-open", [address.AbsoluteUri])
            {
                // What it has to say is not for the person.
                UseShellExecute = false,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
        try
        {
            using var opened = Process.Start(start);
            return true;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
