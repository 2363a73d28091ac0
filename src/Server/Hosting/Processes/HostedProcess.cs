using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Threading.Channels;
using Postern.Hosting.Sandbox;

namespace Postern.Hosting.Processes;

/// <summary>How a process ended. <see cref="WasAsked"/>: we ended it, so it counts as no crash.</summary>
internal sealed record ProcessEnd(int Code, string Reason, bool WasAsked);

/// <summary>
/// One life of a hosted server: lines in, lines out, and its end. Whoever asks for it owns <see cref="Lines"/>; when
/// nobody reads them the process waits, and nothing is kept beyond a few lines.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "It ends by itself, and lets go of everything it holds then.")]
internal sealed class HostedProcess
{
    public const int MaxLine = 4 << 20;

    // What a client may send, with what is added to it on the way.
    private const int MaxWritten = MaxLine + (64 << 10);

    private static readonly TimeSpan
        WriteLimit = TimeSpan.FromSeconds(30),
        StopLimit = TimeSpan.FromSeconds(2),
        DrainLimit = TimeSpan.FromSeconds(2);

    private readonly Process process;
    private readonly Confined confined;
    private readonly IDisposable room;
    private readonly ProcessOutput output;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim writing = new(1);
    private readonly CancellationTokenSource ended = new();
    private string? endedBecause;
    private bool wasAsked;
    private int uses;
    private long lastActive;

    /// <param name="started">The process and its bounds.</param>
    /// <param name="room">Its room among all processes, given back at the end.</param>
    /// <param name="redaction">Applied to everything it prints.</param>
    /// <param name="log">Takes a channel and a line.</param>
    /// <param name="clock">The time.</param>
    public HostedProcess(
        Confined started, IDisposable room, Redaction redaction, Action<string, string> log, TimeProvider clock)
    {
        (process, confined, this.room, this.clock) = (started.Process, started, room, clock);
        output = new(
            process, redaction, log, clock, Touch, because => End(because, asked: false, byForce: true), ended.Token);
        Since = clock.GetUtcNow();
        Touch();
        Exited = RunAsync();
    }

    public DateTimeOffset Since { get; }

    /// <summary>What the server writes: each one whole JSON object or array. Ends when the process does.</summary>
    public ChannelReader<ReadOnlyMemory<byte>> Lines => output.Lines;

    /// <summary>
    /// Completes with the end, when <see cref="LastErrors"/> is complete; a child that holds the pipes is waited for a
    /// little.
    /// </summary>
    public Task<ProcessEnd> Exited { get; }

    /// <summary>The last lines of stderr, redacted.</summary>
    public IReadOnlyList<string> LastErrors => output.LastErrors;

    /// <summary>Completes with the first message, or the end.</summary>
    internal Task Spoke => output.Spoke;

    internal TimeSpan Idle =>
        Volatile.Read(ref uses) > 0 ? TimeSpan.Zero : clock.GetElapsedTime(Volatile.Read(ref lastActive));

    /// <summary>A call in flight or an open stream: until it is disposed, the process is not stopped as idle.</summary>
    public IDisposable Use()
    {
        Interlocked.Increment(ref uses);
        return new Lease(this);
    }

    /// <summary>
    /// Writes one message. It is written whole or the process ends: giving up waiting never leaves half a line behind.
    /// </summary>
    /// <exception cref="IOException">The process has ended or takes no input, or not so much.</exception>
    public async Task WriteLineAsync(ReadOnlyMemory<byte> line, CancellationToken stop)
    {
        if (line.Span.IndexOfAny((byte)'\n', (byte)'\r') >= 0)
        {
            throw new ArgumentException("A message is one line.", nameof(line));
        }

        if (line.Length > MaxWritten)
        {
            throw new IOException("A hosted server is sent no message of more than 4 MiB.");
        }

        await writing.WaitAsync(stop);
        await WriteAsync(line).WaitAsync(stop);
    }

    /// <summary>Asks the process to end by closing its input, then ends it and everything it started.</summary>
    public async Task StopAsync(string because)
    {
        End(because, asked: true, byForce: false);
        try
        {
            await Exited.WaitAsync(StopLimit, clock);
        }
        catch (TimeoutException)
        {
            End(because, asked: true, byForce: true);
            await Exited;
        }
    }

    internal void Touch() => Volatile.Write(ref lastActive, clock.GetTimestamp());

    // Takes over the turn to write, and gives it back when the pipe has taken everything.
    private async Task WriteAsync(ReadOnlyMemory<byte> line)
    {
        var whole = ArrayPool<byte>.Shared.Rent(line.Length + 1);
        try
        {
            line.CopyTo(whole);
            whole[line.Length] = (byte)'\n';
            using var limit = new CancellationTokenSource(WriteLimit, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ended.Token);
            await process.StandardInput.BaseStream.WriteAsync(whole.AsMemory(0, line.Length + 1), either.Token);
            Touch();
        }
        catch (Exception problem) when (problem is OperationCanceledException or IOException or ObjectDisposedException
            or InvalidOperationException)
        {
            End("It did not take its input.", asked: false, byForce: true);
            throw new IOException("The hosted server does not take its input.", problem);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
            writing.Release();
        }
    }

    private async Task<ProcessEnd> RunAsync()
    {
        try
        {
            var reading = output.ReadAsync();
            await process.WaitForExitAsync(CancellationToken.None);
            await Task.WhenAny(reading, Task.Delay(DrainLimit, clock));
            await ended.CancelAsync();
            await reading;
            return new(process.ExitCode, Reason(), wasAsked);
        }
        finally
        {
            output.Close();
            await confined.DisposeAsync(clock);
            room.Dispose();
        }
    }

    private string Reason() => endedBecause
        ?? (confined.RanOutOfMemory()
            ? "It was ended for taking more memory than it is allowed."
            : string.Create(CultureInfo.InvariantCulture, $"It ended by itself with code {process.ExitCode}."));

    private void End(string because, bool asked, bool byForce)
    {
        if (Interlocked.CompareExchange(ref endedBecause, because, null) is null)
        {
            wasAsked = asked;
        }

        try
        {
            if (byForce)
            {
                confined.Kill();
            }
            else
            {
                process.StandardInput.Close();
            }
        }
        catch (Exception problem) when (problem is InvalidOperationException or IOException or Win32Exception)
        {
            // It is gone already, which is what was wanted.
        }
    }

    private sealed class Lease(HostedProcess owner) : IDisposable
    {
        private HostedProcess? held = owner;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref held, null) is { } process)
            {
                process.Touch();
                Interlocked.Decrement(ref process.uses);
            }
        }
    }
}
