using System.Diagnostics.Metrics;
using Postern.Platform;

namespace Postern.Hosting.Processes;

/// <summary>What is counted of hosted servers.</summary>
internal static class HostingNumbers
{
    private static readonly Meter Meter = new(Telemetry.Name);

    public static readonly Counter<long> Starts =
        Meter.CreateCounter<long>("postern.hosted.starts", description: "Processes started");

    public static readonly Counter<long> Crashes =
        Meter.CreateCounter<long>("postern.hosted.crashes", description: "Processes that failed");

    public static readonly UpDownCounter<long> Live =
        Meter.CreateUpDownCounter<long>("postern.hosted.live", description: "Processes that run");
}
