using System.Net.Http.Headers;
using System.Text;
using Postern.Gateway.Relay;

namespace Postern.Tests.Gateway.Relay;

public sealed class HttpAnswerTests
{
    [Fact]
    public async Task Only_while_a_server_is_listened_to_does_its_silence_count()
    {
        var clock = new TimerClock();
        using var response = new HttpResponseMessage
        {
            Content = new StringContent(
                "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\n\n", Encoding.UTF8,
                new MediaTypeHeaderValue("text/event-stream")),
        };
        using var answer = await HttpAnswer.OpenAsync(response, TimeSpan.FromMinutes(5), clock, default);
        await answer.NextAsync(default);

        Assert.Equal([TimeSpan.FromMinutes(5), Timeout.InfiniteTimeSpan], clock.Due.TakeLast(2));
    }

    // Remembers what its timers are set to.
    private sealed class TimerClock : TimeProvider
    {
        public List<TimeSpan> Due { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Recorded(this, System.CreateTimer(callback, state, dueTime, period), dueTime);

        private sealed class Recorded : ITimer
        {
            private readonly TimerClock clock;
            private readonly ITimer timer;

            public Recorded(TimerClock clock, ITimer timer, TimeSpan due)
            {
                (this.clock, this.timer) = (clock, timer);
                clock.Due.Add(due);
            }

            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                clock.Due.Add(dueTime);
                return timer.Change(dueTime, period);
            }

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }
}
