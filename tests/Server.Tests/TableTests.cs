using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Postern.Tests;

/// <summary>
/// A table is one room's. What <see cref="LayerTests"/> sees in C#, this sees in SQL: nobody else writes it, and who
/// else reads it stands here, with the reason.
/// </summary>
public sealed class TableTests
{
    private static readonly string[] Readers =
    [
        // Whom a switch concerns is one statement over sessions that there are, in the unit that turns it.
        "Grants/Logouts.cs reads sessions",
        // An agent whose owner has no account may do nothing: asked of all at once, and of one.
        "Grants/OffGrants.cs reads users",
        "Grants/Parties/AgentStore.cs reads users",
        // What lives as long as a grant does goes after it, in pages of the database's own.
        "Policy/Ledger.cs reads grants",
        "OAuth/ClientAuth/ClientStore.cs reads grants",
    ];

    private static readonly string Root = FolderOf();

    private static readonly HashSet<string> Tables =
    [
        .. from file in Directory.EnumerateFiles(Path.Combine(Root, "Platform/Migrations"), "*.sql")
        from made in Regex.Matches(File.ReadAllText(file), @"create table (\w+)")
        select made.Groups[1].Value,
    ];

    private static readonly Lazy<Use[]> Uses = new(() =>
    [
        .. from file in Directory.EnumerateFiles(Root, "*.cs", SearchOption.AllDirectories)
        let name = Path.GetRelativePath(Root, file)
        from use in Regex.Matches(File.ReadAllText(file), @"\b(delete from|from|join|into|update) (\w+)\b")
        where Tables.Contains(use.Groups[2].Value)
        select new Use(name, RoomOf(name), use.Groups[2].Value, use.Groups[1].Value is not ("from" or "join")),
    ]);

    [Fact]
    public void A_table_is_written_by_one_room_alone()
    {
        var shared =
            from use in Uses.Value
            where use.Writes
            group use.Room by use.Table into rooms
            where rooms.Distinct().Count() > 1
            select $"{rooms.Key} is written by {string.Join(" and ", rooms.Distinct())}";

        Assert.True(Uses.Value.Select(use => use.Table).Distinct().Count() > 20);
        Assert.Empty(shared);
    }

    [Fact]
    public void Who_reads_a_table_of_another_room_is_named()
    {
        var owners = Uses.Value.Where(use => use.Writes)
            .GroupBy(use => use.Table).ToDictionary(uses => uses.Key, uses => uses.First().Room);
        var readers =
            from use in Uses.Value
            where owners.TryGetValue(use.Table, out var owner) && owner != use.Room
            select $"{use.File} reads {use.Table}";

        Assert.Equal(Readers.Order(StringComparer.Ordinal), readers.Distinct().Order(StringComparer.Ordinal));
    }

    // OAuth is a house of rooms.
    private static string RoomOf(string file) => file.Split('/') switch
    {
        ["OAuth", var room, ..] => $"OAuth/{room}",
        [var room, ..] => room,
        [] => "",
    };

    private static string FolderOf([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../src/Server"));

    private sealed record Use(string File, string Room, string Table, bool Writes);
}
