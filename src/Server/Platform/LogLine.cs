using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Postern.Platform;

/// <summary>What happened as one line for people: when (UTC), how bad, in which room, what.</summary>
internal sealed class LogLine(TimeProvider clock) : ConsoleFormatter(Form)
{
    public const string Form = "line";

    public override void Write<TState>(
        in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var text = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var cause = logEntry.Exception is { } exception ? " " + exception : "";
        textWriter.Write(clock.GetUtcNow().ToString("HH:mm:ss ", CultureInfo.InvariantCulture));
        textWriter.Write(Word(logEntry.LogLevel));
        textWriter.Write(logEntry.Category);
        textWriter.Write(": ");
        // A line is one entry: what came from outside cannot begin another, or move a terminal's cursor.
        foreach (var letter in text + cause)
        {
            textWriter.Write(char.IsControl(letter) ? ' ' : letter);
        }

        textWriter.Write('\n');
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Critical => "fatal ",
        LogLevel.Error => "error ",
        LogLevel.Warning => "warn  ",
        _ => "info  ",
    };
}
