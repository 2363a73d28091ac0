using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Hosting.Sandbox;

/// <summary>Who a shut-in command is for the kernel of the host.</summary>
/// <param name="Id">The user inside; outside too, where it is a user of its own.</param>
internal readonly record struct SandboxUser(long Id)
{
    public const string Group = "65534";

    // Between what is set aside for containers and what mounts of foreign disks use: no account has these.
    private const long First = 0x70000000, Count = 0x0fe00000;

    /// <summary>Inside this, outside whoever we are.</summary>
    public static SandboxUser Nobody { get; } = new(65534);

    public bool IsItsOwn => Id >= First;

    public string Text => Id.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// A home's user, always the same. Where we are root a command must be somebody else: for files such as
    /// <c>/proc/sys</c> the kernel asks who owns them, and no namespace keeps root from being root there.
    /// </summary>
    public static SandboxUser Of(string home) => Environment.IsPrivilegedProcess
        ? new(First + (BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(home))) % Count))
        : Nobody;
}
