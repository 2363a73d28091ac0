using System.Diagnostics;
using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Postern.Platform.Configuration;

namespace Postern.Platform;

/// <summary>
/// Traces and metrics sent by OTLP: those of the framework, whose span of a request names the tool that it calls, and
/// what the product counts. Names of people, tokens and arguments are in neither.
/// </summary>
internal sealed class Telemetry : IDisposable
{
    public const string Name = "Postern";

    private static readonly Meter Meter = new(Name);

    public static readonly Counter<long> Tokens =
        Meter.CreateCounter<long>("postern.tokens", description: "Access tokens issued, by grant type");

    public static readonly Counter<long> Decisions =
        Meter.CreateCounter<long>("postern.tool.decisions", description: "Tool calls judged, by server and effect");

    private readonly TracerProvider? traces;
    private readonly MeterProvider? metrics;

    public Telemetry(Settings settings)
    {
        if (settings.Otlp is not { } collector)
        {
            return;
        }

        var resource = ResourceBuilder.CreateDefault().AddService("postern");
        traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource("Microsoft.AspNetCore")
            .AddOtlpExporter(exporter => Aim(exporter, collector, "traces"))
            .Build();
        metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddOtlpExporter(exporter => Aim(exporter, collector, "metrics"))
            .Build();
    }

    /// <summary>
    /// Begins the span of a request that its entries name, as part of the caller's trace if there is one (W3C Trace
    /// Context); null where the framework has begun it, because spans are collected.
    /// </summary>
    public static Activity? Begin(HttpRequest http)
    {
        if (Activity.Current is not null)
        {
            return null;
        }

        var span = new Activity("request");
        if (ActivityContext.TryParse(http.Headers.TraceParent, http.Headers.TraceState, out var caller))
        {
            span.SetParentId(caller.TraceId, caller.SpanId, caller.TraceFlags).TraceStateString = caller.TraceState;
        }

        return span.Start();
    }

    /// <summary>Names the span of this request after the tool it calls (semantic conventions for MCP).</summary>
    public static void NameCall(string server, string tool)
    {
        if (Activity.Current is { IsAllDataRequested: true } span)
        {
            span.DisplayName = $"tools/call {tool}";
            span.SetTag("mcp.method.name", "tools/call");
            span.SetTag("gen_ai.tool.name", tool);
            span.SetTag("postern.server", server);
        }
    }

    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
    }

    // 4317 is the port of OTLP over gRPC; everywhere else it is HTTP, with a path for each signal.
    private static void Aim(OtlpExporterOptions exporter, Uri collector, string signal)
    {
        var isGrpc = collector.Port is 4317;
        exporter.Protocol = isGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = isGrpc ? collector : new($"{collector.AbsoluteUri.TrimEnd('/')}/v1/{signal}");
    }
}
