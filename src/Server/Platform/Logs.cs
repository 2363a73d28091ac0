using Microsoft.Extensions.Logging.Console;
using Postern.Platform.Configuration;

namespace Postern.Platform;

/// <summary>
/// Log lines on standard error: for people, or one JSON object a line. They hold ids and decisions, never secrets.
/// </summary>
internal static class Logs
{
    public static void Configure(ILoggingBuilder logging, Settings settings)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);
        logging.AddFilter("ModelContextProtocol", LogLevel.Warning);

        // For lines of its own the framework would begin a span with every request. Where spans are collected it does
        // so anyway, and the gateway begins those that its entries name.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);

        // Why the start failed is told in one sentence by who called it; the host would add its trace.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        logging.Services.Configure<ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (settings.LogsAreJson)
        {
            logging.AddJsonConsole(
                json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"));
        }
        else
        {
            logging.AddConsole(console => console.FormatterName = LogLine.Form);
            logging.AddConsoleFormatter<LogLine, ConsoleFormatterOptions>();
        }
    }
}
