using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Postern.Tests.Gateway;

namespace Postern.Tests.Platform;

public sealed class TelemetryTests
{
    [Fact]
    public async Task A_collector_receives_the_call_by_its_tool_and_no_secret()
    {
        await using var collector = await Collector.StartAsync();
        await using var behind = await Behind.ModernAsync();
        string token;
        await using (var host = await GatewayHost.StartAsync(
            $"  - {{ name: crm, http: \"{behind.Url}\" }}", $"telemetry: {{ otlp: \"{collector.Url}\" }}"))
        {
            token = await host.TokenAsync("crm");
            using var answer = await host.ModernAsync(
                "crm", token, "tools/call", "\"name\":\"echo\",\"arguments\":{\"text\":\"a plain secret\"}", "echo");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        } // a server that ends sends what it holds

        var (traces, metrics) = (collector.At("/v1/traces"), collector.At("/v1/metrics"));
        Assert.Contains("tools/call echo", traces, StringComparison.Ordinal);
        Assert.Contains("postern.tool.decisions", metrics, StringComparison.Ordinal);
        Assert.All([traces, metrics], sent =>
        {
            Assert.DoesNotContain(token.Split('.')[2], sent, StringComparison.Ordinal);
            Assert.DoesNotContain("a plain secret", sent, StringComparison.Ordinal);
        });
    }

    /// <summary>Takes what is posted to it, as a collector of OTLP over HTTP does.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication app;
        private readonly ConcurrentQueue<(string Path, string Body)> received = new();

        private Collector(WebApplication app) => this.app = app;

        public string Url => app.Urls.Single();

        public static async Task<Collector> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            var app = builder.Build();
            app.Urls.Add("http://127.0.0.1:0");
            var collector = new Collector(app);
            app.MapPost("/{**path}", async (HttpRequest request) =>
            {
                using var body = new StreamReader(request.Body, Encoding.Latin1);
                collector.received.Enqueue((request.Path, await body.ReadToEndAsync()));
            });
            await app.StartAsync();
            return collector;
        }

        /// <summary>Everything that came to a path; names and values are plain text in protocol buffers.</summary>
        public string At(string path) =>
            string.Concat(received.Where(sent => sent.Path == path).Select(sent => sent.Body));

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
