using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;

namespace Postern.Hosting.Processes;

/// <summary>
/// What a process prints: messages for whoever reads them, everything else for the log. When nobody reads the process
/// waits, and nothing is kept beyond a few lines.
/// </summary>
/// <param name="process">The process.</param>
/// <param name="redaction">Applied to everything that is no message.</param>
/// <param name="log">Takes a channel and a line.</param>
/// <param name="clock">The time.</param>
/// <param name="touch">Called when it has said something.</param>
/// <param name="end">Ends the process, for what it printed.</param>
/// <param name="over">When it has ended, and nothing more is waited for.</param>
internal sealed class ProcessOutput(
    Process process,
    Redaction redaction,
    Action<string, string> log,
    TimeProvider clock,
    Action touch,
    Action<string> end,
    CancellationToken over)
{
    private const int MaxErrors = 50, LinesAhead = 8, PrintedPerSecond = 500;

    private readonly Queue<string> errors = [];
    private readonly TaskCompletionSource spoke = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<ReadOnlyMemory<byte>> lines = Channel.CreateBounded<ReadOnlyMemory<byte>>(
        new BoundedChannelOptions(LinesAhead) { SingleReader = true, SingleWriter = true });

    /// <summary>The messages, each one whole JSON object or array.</summary>
    public ChannelReader<ReadOnlyMemory<byte>> Lines => lines.Reader;

    /// <summary>Completes with the first message, or the end.</summary>
    public Task Spoke => spoke.Task;

    /// <summary>The last lines of stderr, redacted.</summary>
    public IReadOnlyList<string> LastErrors
    {
        get
        {
            lock (errors)
            {
                return [.. errors];
            }
        }
    }

    /// <summary>Reads until both pipes are at their end.</summary>
    public Task ReadAsync() => Task.WhenAll(SafelyAsync(ReadLinesAsync), SafelyAsync(ReadErrorsAsync));

    /// <summary>Nothing more comes.</summary>
    public void Close()
    {
        lines.Writer.TryComplete();
        spoke.TrySetResult();
    }

    // Whatever goes wrong with what it printed ends the process, and never what waits for its end.
    private async Task SafelyAsync(Func<Task> read)
    {
        try
        {
            await read();
        }
        catch (Exception problem)
        {
            end($"What it printed could not be read: {problem.Message}");
        }
    }

    private async Task ReadLinesAsync()
    {
        var pace = new Pace(clock, PrintedPerSecond);
        await foreach (var line in Lenient(new LineReader(process.StandardOutput.BaseStream, HostedProcess.MaxLine)))
        {
            touch();
            if (line.IsCut && line.Bytes.Length >= HostedProcess.MaxLine)
            {
                end("It wrote a line of more than 4 MiB.");
                return;
            }

            if (IsMessage(line.Bytes.Span))
            {
                spoke.TrySetResult();
                await OfferAsync(line.Bytes);
                continue;
            }

            log("stdout", redaction.Of(line.Bytes));
            await pace.StepAsync(over);
        }
    }

    private async Task ReadErrorsAsync()
    {
        var pace = new Pace(clock, PrintedPerSecond);
        var isRest = false;
        await foreach (var line in Lenient(new LineReader(process.StandardError.BaseStream, Redaction.Longest)))
        {
            if (!isRest)
            {
                Keep(redaction.Of(line.Bytes));
            }

            isRest = line.IsCut;
            await pace.StepAsync(over);
        }
    }

    private void Keep(string error)
    {
        log("stderr", error);
        lock (errors)
        {
            errors.Enqueue(error);
            while (errors.Count > MaxErrors)
            {
                errors.Dequeue();
            }
        }
    }

    /// <summary>The lines until the pipe breaks; that it breaks is not news, the end of the process is.</summary>
    private async IAsyncEnumerable<LineReader.Line> Lenient(LineReader reader)
    {
        await using var each = reader.ReadAsync(over).GetAsyncEnumerator(CancellationToken.None);
        while (true)
        {
            try
            {
                if (!await each.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
            {
                yield break;
            }

            yield return each.Current;
        }
    }

    private async Task OfferAsync(ReadOnlyMemory<byte> line)
    {
        try
        {
            await lines.Writer.WriteAsync(line, over);
        }
        catch (OperationCanceledException)
        {
            lines.Writer.TryWrite(line);
        }
    }

    private static bool IsMessage(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = 256 });
            if (!reader.Read() || reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            {
                return false;
            }

            reader.Skip();
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
