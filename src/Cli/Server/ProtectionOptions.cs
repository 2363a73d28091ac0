using System.CommandLine;

namespace Postern.Cli.Server;

/// <summary>What a server demands of its callers, and is sent with their calls.</summary>
internal sealed class ProtectionOptions
{
    private readonly Option<bool> dpop = new("--require-dpop")
    {
        Description = "Takes only tokens that are bound to a key.",
    };

    private readonly Option<string[]> acr = new("--require-acr")
    {
        Description = "How strongly its callers' people must have signed in: phr for a passkey.",
        HelpName = "ACR",
    };

    private readonly Option<string?> maxAge = new("--max-age")
    {
        Description = "How long ago they may have signed in. Such as 15m or 12h.",
        HelpName = "TIME",
    };

    private readonly Option<bool> stamps = new("--transaction-tokens")
    {
        Description = "Each call goes to it with a transaction token.",
    };

    public void AddTo(Command command) => Array.ForEach<Option>([dpop, acr, maxAge, stamps], command.Add);

    public Protection Of(ParseResult parse)
    {
        var (wanted, age) = (parse.GetValue(acr) ?? [], parse.GetValue(maxAge));
        return new(
            parse.GetValue(dpop),
            wanted.Length is 0 && age is null ? null : new(wanted, age),
            parse.GetValue(stamps));
    }
}
