using System.Runtime.CompilerServices;

namespace Postern.AspNetCore.Tests;

internal static class CommittedFile
{
    /// <summary>Compares with a file of the repository; run with ACCEPT=1 to rewrite it, then read the diff.</summary>
    public static void Matches(string actual, string name, [CallerFilePath] string test = "")
    {
        var file = Path.Combine(Path.GetDirectoryName(test)!, name);
        if (Environment.GetEnvironmentVariable("ACCEPT") is "1")
        {
            File.WriteAllText(file, actual);
        }

        Assert.Equal(File.Exists(file) ? File.ReadAllText(file) : "(nothing committed yet)", actual);
    }
}
