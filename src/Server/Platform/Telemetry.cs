using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Postern.Platform.Configuration;

namespace Postern.Platform;

/// <summary>
/// The framework's traces and metrics, and the product's metrics under the name <c>Postern</c>, sent by OTLP.
/// </summary>
internal sealed class Telemetry : IDisposable
{
    public const string Name = "Postern";

    private readonly TracerProvider? traces;
    private readonly MeterProvider? metrics;

    public Telemetry(Settings settings)
    {
        if (settings.Otlp is not { } endpoint)
        {
            return;
        }

        var resource = ResourceBuilder.CreateDefault().AddService("postern");
        traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource("Microsoft.AspNetCore", "System.Net.Http")
            .AddOtlpExporter(exporter => exporter.Endpoint = endpoint)
            .Build();
        metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddOtlpExporter(exporter => exporter.Endpoint = endpoint)
            .Build();
    }

    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
    }
}
