using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Postern.Cli.Audit;
using Postern.Cli.Grant;
using Postern.Cli.Keys;
using Postern.Cli.Parties;
using Postern.Cli.Server;
using Postern.Cli.Try;

namespace Postern.Cli;

/// <summary>The verbs of <c>postern</c>. Each speaks HTTP to a server and knows nothing else of it.</summary>
public static class CommandLine
{
    private const int Refused = 1, NotUnderstood = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        // `postern help server add` is what many type first.
        var parse = Root().Parse(args switch
        {
            ["help", .. var verb] => [.. verb, "--help"],
            [] => ["--help"],
            _ => args,
        });
        if (parse.Errors.Count > 0)
        {
            var what = parse.UnmatchedTokens is [var unknown, ..]
                ? $"`{unknown}` is not understood here."
                : parse.Errors[0].Message;
            return parse.Screen.Fail($"{what} See: postern help{PathOf(parse.CommandResult)}", NotUnderstood);
        }

        try
        {
            return await parse.InvokeAsync(new()
            {
                EnableDefaultExceptionHandler = false,
                // Long enough for `try` to take its server and its folder away.
                ProcessTerminationTimeout = TimeSpan.FromSeconds(10),
            });
        }
        catch (RefusalException refusal)
        {
            return parse.Screen.Fail(refusal.Message, Refused);
        }
        catch (OperationCanceledException)
        {
            return Refused;
        }
    }

    /// <summary>All verbs, in the order of the help.</summary>
    internal static Command Root() => new("postern", "Lets AI agents in on people's terms.")
    {
        new ServeCommand(),
        new TryCommand(),
        new LoginCommand(),
        new Command("server", "The MCP servers behind the gateway.")
        {
            new ServerOption(), new TenantOption(), new Server.AddCommand(), new Server.ListCommand(),
            new Server.RemoveCommand(), new ProtectCommand(), new LogsCommand(), new RestartCommand(),
        },
        new Command("grant", "What people allowed agents to do.")
        {
            new ServerOption(), new TenantOption(), new Grant.ListCommand(), new RevokeCommand(),
        },
        new Command("keys", "The keys that sign tokens.")
        {
            new ServerOption(), new TenantOption(), new RotateCommand(),
        },
        new Command("audit", "The log of everything that was done and refused.")
        {
            new ServerOption(), new TenantOption(), new TailCommand(),
        },
        new Command("client", "The software that may ask to be let in.")
        {
            new ServerOption(), new TenantOption(), new ClientsCommand(),
            SwitchCommand.Disable("client", "Its client_id."), SwitchCommand.Enable("client", "Its client_id."),
        },
        new Command("user", "The people with an account.")
        {
            new ServerOption(), new TenantOption(),
            SwitchCommand.Disable("user", "Their e-mail address."),
            SwitchCommand.Enable("user", "Their e-mail address."),
        },
        new Command("agent", "Software that acts with a purpose, and the people who answer for it.")
        {
            new ServerOption(), new TenantOption(), new Agent.AddCommand(), new Agent.ListCommand(),
            new Agent.ShowCommand(),
            SwitchCommand.Disable("agent", "The agent, as postern agent list shows it."),
            SwitchCommand.Enable("agent", "The agent, as postern agent list shows it."),
            new Agent.RemoveCommand(),
        },
        new Command("organization", "Companies inside a tenant: people, agents and issuers that belong together.")
        {
            new ServerOption(), new TenantOption(), new Organization.AddCommand(), new Organization.ListCommand(),
            new Organization.MemberCommand(leaves: false), new Organization.MemberCommand(leaves: true),
            SwitchCommand.Disable("organization", "Its ID, as postern organization list shows it."),
            SwitchCommand.Enable("organization", "Its ID, as postern organization list shows it."),
        },
        new Command("issuer", "Those elsewhere whose assertions are grants here.")
        {
            new ServerOption(), new TenantOption(), new IssuersCommand(),
            SwitchCommand.Disable("identity_provider", "The issuer, as postern issuer list shows it."),
            SwitchCommand.Enable("identity_provider", "The issuer, as postern issuer list shows it."),
        },
        new Command("tenant", "The tenants of a server, each with its own issuer, keys, people and servers.")
        {
            new ServerOption(), new Tenant.AddCommand(), new Tenant.ListCommand(), new Tenant.SetupCommand(),
            new Tenant.RemoveCommand(),
        },
        new JsonOption(),
        new HelpOption(),
        new VersionOption("--version") { Action = new SayVersion() },
    };

    private static string PathOf(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : "";
}
