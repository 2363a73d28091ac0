using System.CommandLine;

namespace Postern.Cli;

/// <summary>
/// One JSON document, or one a line for what comes in time, instead of words; errors too, on standard error.
/// </summary>
internal sealed class JsonOption : Option<bool>
{
    public const string Flag = "--json";

    public JsonOption()
        : base(Flag)
    {
        Description = "Answer in JSON.";
        Recursive = true;
    }
}
