namespace Postern.Cli;

/// <summary>What the person who started the program reads.</summary>
public static class Terminal
{
    public static void Say(string text) => Console.Out.WriteLine(text);

    /// <summary>One clear message; answers the exit code of a refusal.</summary>
    public static int Fail(string message)
    {
        Console.Error.WriteLine($"postern: {message}");
        return 1;
    }
}
