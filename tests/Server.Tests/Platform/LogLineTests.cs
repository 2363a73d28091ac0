using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Platform;

namespace Postern.Tests.Platform;

public sealed class LogLineTests
{
    [Fact]
    public void An_entry_is_one_line_whatever_is_in_it()
    {
        using var written = new StringWriter();
        var entry = new LogEntry<string>(
            LogLevel.Warning, "Postern.Room", new(7, "Event"), "it said \u001b[31m\"a\r\n10:00:00 info  all is well\"",
            new IOException("the pipe\nis broken"), (said, _) => said);

        new LogLine(new FakeClock()).Write(entry, null, written);

        Assert.Equal(
            "10:15:30 warn  Postern.Room: it said  [31m\"a  10:00:00 info  all is well\" "
                + "System.IO.IOException: the pipe is broken\n",
            written.ToString());
    }
}
