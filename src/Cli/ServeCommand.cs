using System.CommandLine;

namespace Postern.Cli;

/// <summary>Stands here for the help alone: the program runs the server before this command line is asked.</summary>
internal sealed class ServeCommand : Command
{
    public ServeCommand()
        : base("serve", "Runs the server. Every setting of postern.yaml can be given as an option: "
            + "--tokens.access_lifetime 5m.")
    {
        Add(Setting("--config", "FILE", "The settings; otherwise ./postern.yaml, if it is there."));
        Add(Setting("--listen", "URL", "Where to listen; otherwise http://localhost:7400."));
        Add(Setting("--issuer", "URL", "How the outside reaches the server, when that is another address."));
        Add(Setting("--data", "FOLDER", "The folder of keys and of the administrator's token; otherwise ./data."));
        Add(Setting("--database", "ADDRESS", "sqlite:PATH or postgres://…; otherwise sqlite:./data/postern.db."));
        SetAction(int (_) => throw new RefusalException("`serve` must be the first word: postern serve …"));
    }

    private static Option<string> Setting(string name, string value, string what) =>
        new(name) { HelpName = value, Description = what };
}
