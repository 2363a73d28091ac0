using System.Runtime.InteropServices;
using System.Text.Json;

namespace Postern.Gateway.Inspect;

/// <summary>Where one JSON value stands in its message, and of what type it is.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Part(int Start, int Length, JsonTokenType Type)
{
    public bool IsMissing => Length is 0;

    public int End => Start + Length;
}

/// <summary>A member of one of the objects that make up the envelope, under the member it lies in.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Member(int Parent, ReadOnlyMemory<byte> Name, Part Value);
