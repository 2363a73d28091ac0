using Microsoft.AspNetCore.Builder;

namespace Postern.Tests.Platform;

/// <summary>A variable of the environment is every server's of this process: who sets one runs alone.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;

/// <summary>What lies in the data folder is nobody else's to see.</summary>
[Collection<Alone>]
public sealed class PrivateFolderTests
{
    private const UnixFileMode OwnerAlone =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    [Theory]
    [InlineData(null)]
    [InlineData("01234567:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY")] // then no key file makes the folder
    public async Task The_data_folder_is_made_for_its_owner_alone(string? key)
    {
        var folder = Directory.CreateTempSubdirectory("postern-private-").FullName;
        var (before, data) = (Environment.GetEnvironmentVariable("POSTERN_MASTER_KEY"), Path.Combine(folder, "data"));
        try
        {
            Environment.SetEnvironmentVariable("POSTERN_MASTER_KEY", key);
            await using var _ = Build(data);
        }
        finally
        {
            Environment.SetEnvironmentVariable("POSTERN_MASTER_KEY", before);
        }

        Assert.Equal(OwnerAlone, File.GetUnixFileMode(data));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_folder_that_exists_stays_as_its_owner_wants_it()
    {
        var folder = Directory.CreateTempSubdirectory("postern-private-").FullName;
        File.SetUnixFileMode(folder, OwnerAlone | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);

        await using var _ = Build(folder);

        Assert.True(File.GetUnixFileMode(folder).HasFlag(UnixFileMode.GroupRead));
        Directory.Delete(folder, recursive: true);
    }

    private static WebApplication Build(string data) => Program.Build(
        ["--data", data, "--database", $"sqlite:{data}/postern.db", "--listen", "http://127.0.0.1:7400"]);
}
