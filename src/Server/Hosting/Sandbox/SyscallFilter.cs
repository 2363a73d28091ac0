using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Postern.Hosting.Sandbox;

/// <summary>
/// A seccomp filter in classic BPF: refuses the calls through which kernels are attacked and namespaces are made, and
/// sockets of families that no namespace holds back (vsock reaches the host of a virtual machine).
/// </summary>
internal static class SyscallFilter
{
    private const ushort Load = 0x20, JumpIfEqual = 0x15, JumpIfSet = 0x45, Return = 0x06;
    private const uint Number = 0, Machine = 4, Argument0 = 16, Argument1 = 24;
    private const uint Allow = 0x7fff0000, Kill = 0x80000000, NotPermitted = 0x00050001, NotImplemented = 0x00050026;

    // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
    private const uint NewNamespaces = 0x7e020000;

    // On x86-64 the numbers of the 32-bit ABI begin here; they would go around every comparison below.
    private const uint OtherAbi = 0x40000000;

    private static readonly uint[] SocketFamilies = [1, 2, 10, 16]; // unix, inet, inet6, netlink

    private static readonly uint[] TerminalInjections = [0x5412, 0x541c]; // TIOCSTI, TIOCLINUX

    private static readonly Table X64 = new(0xc000003e, CloneCall: 56, SocketCall: 41, IoctlCall: 16, NotPermitted:
    [
        163, 248, 321, 176, 300, 313, 431, 432, 430, 433, 175, 320, 246, 250, 165, 442, 429, 279, 303, 304, 428, 298,
        438, 155, 310, 311, 101, 179, 169, 249, 308, 168, 167, 103, 166, 272, 323, 312, 172, 173,
    ]);

    private static readonly Table Arm64 = new(0xc00000b7, CloneCall: 220, SocketCall: 198, IoctlCall: 29, NotPermitted:
    [
        89, 217, 280, 106, 262, 273, 431, 432, 430, 433, 105, 294, 104, 219, 40, 442, 429, 239, 264, 265, 428, 241,
        438, 41, 270, 271, 117, 60, 142, 218, 268, 225, 224, 116, 39, 97, 282, 272,
    ]);

    // clone3 hides its flags behind a pointer, so callers are sent back to clone; io_uring does calls past the filter.
    private static readonly uint[] Unknown = [435, 425, 426, 427];

    /// <summary>The program for the processor we run on; null where we know no table.</summary>
    public static byte[]? ForThisMachine() => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => Assemble(X64),
        Architecture.Arm64 => Assemble(Arm64),
        _ => null,
    };

    private static byte[] Assemble(Table table)
    {
        List<Step> steps =
        [
            new(Load, Machine),
            new(JumpIfEqual, table.Machine, WhenTrue: 1),
            new(Return, Kill),
            new(Load, Number),
            .. IfAny(OtherAbi, NotPermitted),
        ];
        steps.AddRange(table.NotPermitted.SelectMany(call => If(call, NotPermitted)));
        steps.AddRange(Unknown.SelectMany(call => If(call, NotImplemented)));
        var families = SocketFamilies.SelectMany(family => If(family, Allow));
        var injections = TerminalInjections.SelectMany(code => If(code, NotPermitted));
        steps.AddRange(When(table.CloneCall, Argument0, IfAny(NewNamespaces, NotPermitted), Allow));
        steps.AddRange(When(table.SocketCall, Argument0, families, NotPermitted));
        steps.AddRange(When(table.IoctlCall, Argument1, injections, Allow));
        steps.Add(new(Return, Allow));
        return [.. steps.SelectMany(step => step.Bytes())];
    }

    private static Step[] If(uint value, uint verdict) =>
        [new(JumpIfEqual, value, WhenFalse: 1), new(Return, verdict)];

    private static Step[] IfAny(uint bits, uint verdict) =>
        [new(JumpIfSet, bits, WhenFalse: 1), new(Return, verdict)];

    /// <summary>For one call: looks at an argument, tries the steps, else the last word.</summary>
    private static Step[] When(uint call, uint argument, IEnumerable<Step> steps, uint otherwise)
    {
        Step[] body = [new(Load, argument), .. steps, new(Return, otherwise)];
        return [new(JumpIfEqual, call, WhenFalse: (byte)body.Length), .. body];
    }

    private sealed record Table(uint Machine, uint CloneCall, uint SocketCall, uint IoctlCall, uint[] NotPermitted);

    private sealed record Step(ushort Code, uint Value, byte WhenTrue = 0, byte WhenFalse = 0)
    {
        public byte[] Bytes()
        {
            var bytes = new byte[8]; // struct sock_filter
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, Code);
            (bytes[2], bytes[3]) = (WhenTrue, WhenFalse);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Value);
            return bytes;
        }
    }
}
