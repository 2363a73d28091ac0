using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Postern.AspNetCore.Revocations;

/// <summary>
/// Keeps the stream of what ends open (Server-Sent Events, HTML §9.2), and comes back to where it was when it breaks.
/// </summary>
internal sealed partial class RevocationFollower(
    RevocationWatch watch,
    IssuerQuestions questions,
    IOptions<PosternOptions> options,
    TimeProvider clock,
    ILogger<RevocationFollower> logger)
    : BackgroundService
{
    private const int MaxLine = 4096;

    /// <summary>The stream speaks every five seconds; one that is silent for so long is dead.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromSeconds(15);

    private string? lastEvent;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var pause = FirstPause; options.Value.FollowRevocations && !stoppingToken.IsCancellationRequested;)
        {
            var wasHeard = await TryFollowAsync(stoppingToken);
            pause = wasHeard ? FirstPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;
            await Task.Delay(pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Whatever goes wrong, it is tried again: meanwhile the watch knows that it is late.
    private async Task<bool> TryFollowAsync(CancellationToken stop)
    {
        var before = lastEvent;
        try
        {
            await FollowAsync(stop);
        }
        catch (Exception failure)
        {
            if (!stop.IsCancellationRequested)
            {
                Log.Broken(logger, failure.Message);
            }
        }

        return lastEvent != before;
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        using var silence = new CancellationTokenSource(Silence, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, silence.Token);
        using var answer = await questions.FollowAsync(lastEvent, either.Token);
        answer.EnsureSuccessStatusCode();
        watch.Begin();
        var lines = PipeReader.Create(await answer.Content.ReadAsStreamAsync(either.Token));
        var current = new Event();
        while (true)
        {
            var read = await lines.ReadAsync(either.Token);
            silence.CancelAfter(Silence);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                Take(Encoding.UTF8.GetString(rest.Slice(0, end)), ref current);
                rest = rest.Slice(rest.GetPosition(1, end));
            }

            if (read.IsCompleted || rest.Length > MaxLine)
            {
                return;
            }

            lines.AdvanceTo(rest.Start, rest.End);
        }
    }

    private void Take(string line, ref Event current)
    {
        if (line is not "")
        {
            current = line.Split(": ", 2) switch
            {
                ["event", var what] => current with { What = what },
                ["data", var ended] => current with { Data = ended },
                ["id", var until] => current with { Id = until },
                _ => current,
            };
            return;
        }

        if (current is { What: "beat", Id: { } beat })
        {
            lastEvent = beat;
            watch.Beat();
        }
        else if (current is { What: { } kind, Data: { } name })
        {
            watch.Note(kind, name);
        }

        current = new();
    }

    private readonly record struct Event(string? What, string? Data, string? Id);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The stream of revocations broke; trying again. {Cause}")]
        public static partial void Broken(ILogger logger, string cause);
    }
}
