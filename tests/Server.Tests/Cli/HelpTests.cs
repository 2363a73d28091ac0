using System.CommandLine;
using System.Text;
using Postern.Cli;

namespace Postern.Tests.Cli;

/// <summary>docs/cli.md is what the program says of itself.</summary>
public sealed class HelpTests
{
    [Fact]
    public async Task The_help_of_every_verb_is_the_documentation()
    {
        using var postern = new PosternCommand();
        var page = new StringBuilder("# The command line\n\nWritten by a test from the program's own help.\n");
        foreach (var path in Paths(CommandLine.Root(), []))
        {
            var said = await postern.RunAsync([.. path, "--help"]);
            Assert.True(said.Code is 0, said.ToString());
            page.Append($"\n## {string.Join(' ', path.Prepend("postern"))}\n\n```\n{said.Words.Trim()}\n```\n");
        }

        CommittedFile.Matches(page.ToString(), "../../../docs/cli.md");
    }

    [Theory]
    [InlineData("help")]
    [InlineData("help", "server", "add")]
    [InlineData("serve", "--help")]
    [InlineData]
    public async Task Help_is_found_by_the_words_people_try(params string[] args)
    {
        using var postern = new PosternCommand();

        var said = await postern.RunAsync(args);

        Assert.True(said.Code is 0, said.ToString());
        Assert.Contains("Usage:\n  postern", said.Words);
    }

    private static IEnumerable<string[]> Paths(Command command, string[] path) =>
        command.Subcommands.SelectMany(verb => Paths(verb, [.. path, verb.Name])).Prepend(path);
}
