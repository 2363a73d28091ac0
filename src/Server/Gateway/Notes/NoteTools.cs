using System.ComponentModel;
using System.Globalization;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Postern.Gateway.Notes;

/// <summary>
/// The demo server: a person's notes, in the database, with a tool of each risk class. Whose notes they are comes with
/// the request from the gateway and is no argument. What a model does wrong is answered with what to do instead.
/// </summary>
internal sealed class NoteTools
{
    /// <summary>Where a request carries the person it is made for.</summary>
    public const string OwnerItem = "postern.owner";

    private readonly NoteStore notes;

    public NoteTools(NoteStore notes)
    {
        this.notes = notes;
        All =
        [
            Tool(ListAsync, new() { Name = "list_notes", Title = "List notes", ReadOnly = true }),
            Tool(ReadAsync, new() { Name = "read_note", Title = "Read a note", ReadOnly = true }),
            Tool(SearchAsync, new() { Name = "search_notes", Title = "Search notes", ReadOnly = true }),
            Tool(AddAsync, new() { Name = "add_note", Title = "Add a note", Destructive = false }),
            Tool(
                EditAsync,
                new() { Name = "edit_note", Title = "Edit a note", Destructive = false, Idempotent = true }),
            Tool(
                DeleteAsync,
                new() { Name = "delete_note", Title = "Delete a note", Destructive = true, Idempotent = true }),
        ];
    }

    public IReadOnlyList<McpServerTool> All { get; }

    private static McpServerTool Tool(Delegate act, McpServerToolCreateOptions options)
    {
        options.OpenWorld = false;
        return McpServerTool.Create(act, options);
    }

    [Description("Lists all notes: number and title.")]
    private async Task<CallToolResult> ListAsync(RequestContext<CallToolRequestParams> request, CancellationToken stop)
    {
        var (tenant, owner) = OwnerOf(request);
        return Listed(await notes.AllAsync(tenant, owner, stop), "There are no notes yet. Add one with add_note.");
    }

    [Description("Reads one note.")]
    private async Task<CallToolResult> ReadAsync(
        RequestContext<CallToolRequestParams> request,
        [Description("The note's number, as list_notes shows it.")] long number,
        CancellationToken stop)
    {
        var (tenant, owner) = OwnerOf(request);
        return await notes.FindAsync(tenant, owner, number, stop) is { } note
            ? Text($"{note.Title}\n\n{note.Body}")
            : Missing(number);
    }

    [Description("Finds notes whose title or text contains the words given, in any case of letters.")]
    private async Task<CallToolResult> SearchAsync(
        RequestContext<CallToolRequestParams> request,
        [Description("What to look for, 1 to 200 characters.")] string query,
        CancellationToken stop)
    {
        if (query.Length is 0 or > NoteStore.MaxTitle)
        {
            return Failed("query must have 1 to 200 characters. To see every note, call list_notes.");
        }

        var (tenant, owner) = OwnerOf(request);
        var found = (await notes.AllAsync(tenant, owner, stop)).Where(note =>
            note.Title.Contains(query, StringComparison.OrdinalIgnoreCase)
            || note.Body.Contains(query, StringComparison.OrdinalIgnoreCase));
        return Listed([.. found], "No note contains that. Try fewer words, or call list_notes.");
    }

    [Description("Adds a note and answers its number.")]
    private async Task<CallToolResult> AddAsync(
        RequestContext<CallToolRequestParams> request,
        [Description("1 to 200 characters.")] string title,
        [Description("The note itself, at most 20000 characters.")] string text)
    {
        if (Flaw(title, text) is { } flaw)
        {
            return Failed(flaw);
        }

        var (tenant, owner) = OwnerOf(request);
        return await notes.AddAsync(tenant, owner, title, text) is { } number
            ? Text($"Added as note {number}.")
            : Failed($"There are {NoteStore.Most} notes already, which is the limit. Ask the person which to delete.");
    }

    [Description("Replaces the title or the text of a note; what is not given stays.")]
    private async Task<CallToolResult> EditAsync(
        RequestContext<CallToolRequestParams> request,
        [Description("The note's number, as list_notes shows it.")] long number,
        [Description("The new title, 1 to 200 characters.")] string? title = null,
        [Description("The new text, at most 20000 characters.")] string? text = null)
    {
        if (title is null && text is null)
        {
            return Failed("Give a new title, a new text, or both.");
        }

        if (Flaw(title ?? "unchanged", text ?? "") is { } flaw)
        {
            return Failed(flaw);
        }

        var (tenant, owner) = OwnerOf(request);
        return await notes.EditAsync(tenant, owner, number, title, text)
            ? Text($"Note {number} is changed.")
            : Missing(number);
    }

    [Description("Deletes a note for good.")]
    private async Task<CallToolResult> DeleteAsync(
        RequestContext<CallToolRequestParams> request,
        [Description("The note's number, as list_notes shows it.")] long number)
    {
        var (tenant, owner) = OwnerOf(request);
        return await notes.DeleteAsync(tenant, owner, number) ? Text($"Note {number} is deleted.") : Missing(number);
    }

    private static string? Flaw(string title, string text) => (title.Trim().Length, text.Length) switch
    {
        (0 or > NoteStore.MaxTitle, _) => "title must have 1 to 200 characters; put the rest into text.",
        (_, > NoteStore.MaxBody) => "text may have at most 20000 characters; split it into several notes.",
        _ => null,
    };

    private static (TenantId Tenant, SubjectId Owner) OwnerOf(RequestContext<CallToolRequestParams> request) =>
        request.JsonRpcRequest.Context?.Items?[OwnerItem] is ValueTuple<TenantId, SubjectId> owner
            ? owner
            : throw new InvalidOperationException("A request reached the notes without its owner.");

    private static CallToolResult Listed(List<Note> found, string otherwise) => Text(found.Count is 0
        ? otherwise
        : string.Join('\n', found.Select(
            note => string.Create(CultureInfo.InvariantCulture, $"{note.Number}: {note.Title}"))));

    private static CallToolResult Missing(long number) =>
        Failed($"There is no note {number}. Call list_notes to see the numbers there are.");

    private static CallToolResult Failed(string because) =>
        new() { IsError = true, Content = [new TextContentBlock { Text = because }] };

    private static CallToolResult Text(string text) => new() { Content = [new TextContentBlock { Text = text }] };
}
