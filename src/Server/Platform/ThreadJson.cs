using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Postern.Platform;

/// <summary>
/// JSON that is written in one go, without waiting for anything, into buffers that this thread keeps: what every token
/// needs is not made anew for each.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Lives as long as its thread, over memory of our own.")]
internal sealed class ThreadJson
{
    private const int MostKept = 64 * 1024;

    [ThreadStatic]
    private static ThreadJson? ofThread;

    private readonly ArrayBufferWriter<byte> text = new(4096);
    private readonly Utf8JsonWriter writer;

    private ThreadJson() => writer = new(text);

    /// <summary>Where the next text is written; the one before is gone.</summary>
    public static Utf8JsonWriter Begin()
    {
        // What a status list needs is not kept by every thread.
        if (ofThread is not { text.Capacity: <= MostKept } json)
        {
            ofThread = json = new();
        }

        json.text.ResetWrittenCount();
        json.writer.Reset(json.text);
        return json.writer;
    }

    /// <summary>What was written since <see cref="Begin"/>; good until this thread begins the next.</summary>
    public static ReadOnlySpan<byte> End()
    {
        ofThread!.writer.Flush();
        return ofThread.text.WrittenSpan;
    }
}
