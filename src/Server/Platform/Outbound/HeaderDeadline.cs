namespace Postern.Platform.Outbound;

/// <summary>Gives up on an upstream whose headers do not come; the stream behind them may last.</summary>
internal sealed class HeaderDeadline(TimeSpan within, TimeProvider clock, HttpMessageHandler inner)
    : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(within, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            return await base.SendAsync(request, either.Token);
        }
        catch (OperationCanceledException late) when (deadline.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new TimeoutException("The upstream sent no headers in time.", late);
        }
    }
}
