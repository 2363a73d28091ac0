using System.Diagnostics;
using System.Text.Json;
using Postern.AspNetCore;
using Postern.Audit;
using Postern.Platform;
using Postern.Platform.Configuration;

namespace Postern.Policy;

/// <summary>May this grant call this tool?</summary>
/// <param name="Grant">The grant behind the token, known to be alive.</param>
/// <param name="Resource">The server that is called.</param>
/// <param name="Tool">The tool, by the name its server gives it.</param>
/// <param name="Risk">Its class.</param>
/// <param name="ToolHash">Its definition as it stands in the catalogue.</param>
/// <param name="TokenId">The <c>jti</c> of the token presented.</param>
internal sealed record Question(
    Grant Grant, Resource Resource, string Tool, Risk Risk, string? ToolHash, string TokenId)
{
    /// <summary>The agent that calls, whichever client it came by.</summary>
    public string? Agent { get; init; }

    public string? Network { get; init; }

    public string? TraceParent { get; init; }

    public string? ArgumentsDigest { get; init; }

    /// <summary>How the person must have signed in for it and did not; null when nothing is wanting.</summary>
    public SignInDemand? Unmet { get; init; }

    /// <summary>What the tool is called with; asked for only where the grant limits it.</summary>
    public JsonElement Arguments { get; init; }

    /// <summary>What the server's operator says that the tool does; null when nothing.</summary>
    public ToolDeclaration? Declared { get; init; }

    /// <summary>The types of details that were limited anywhere in <see cref="Chain"/>.</summary>
    public IReadOnlyCollection<string> Limited { get; init; } = [];

    /// <summary>
    /// The grants with which calls and money are counted: from where the chain of delegation begins to the whole of
    /// this one. Empty when nothing is.
    /// </summary>
    public IReadOnlyList<Grant> Chain { get; init; } = [];
}

/// <summary>
/// Proof that policy said yes to one call and that the log has it. The relay takes a permit, not a caller, so the
/// compiler finds the door that forgot to ask.
/// </summary>
internal sealed class Permit
{
    private Permit(Question question, string entry) => (Question, Entry) = (question, entry);

    public Question Question { get; }

    /// <summary>What the call costs, which is taken; null where that is not limited.</summary>
    public Charge? Charge { get; private init; }

    /// <summary>Where it was taken.</summary>
    public IReadOnlyList<Sum> Sums { get; private init; } = [];

    /// <summary>The entry of the decision, which the outcome will name.</summary>
    public string Entry { get; }

    /// <summary>
    /// Asks, and records the answer first: if the record cannot be written there is no permit. Only with
    /// <c>audit.mode: relaxed</c>, and only for a reading tool, does the call not wait for the disk. What is counted is
    /// taken with the record.
    /// </summary>
    /// <exception cref="Platform.Database.DatabaseUnavailableException">
    /// The answer cannot be recorded, so there is none.
    /// </exception>
    public static async ValueTask<Verdict> AskAsync(
        AuditLog audit, Ledger ledger, Settings settings, Question question)
    {
        var ruling = Refusal(question) is { } because ? Ruling.No(because) : Ruling.Of(question, ledger.Now);
        var taken = ruling is { Because: null, Counts: true }
            ? await ledger.TakeAsync(question, ruling, EntryOf(question, ruling))
            : new(ruling.Because, ruling.Over)
            {
                Entry = await RecordAsync(audit, settings, question, EntryOf(question, ruling)),
            };
        var effect = taken.Because is null ? "allow" : "deny";
        Telemetry.Decisions.Add(1, new("server", question.Resource.Value), new("effect", effect));
        return taken.Because is null
            ? new Verdict.Yes(new(question, taken.Entry) { Charge = ruling.Charge, Sums = taken.Sums })
            : new Verdict.No(taken.Because, Needs(question), question.Unmet) { Over = taken.Over };
    }

    private static async ValueTask<string> RecordAsync(
        AuditLog audit, Settings settings, Question question, AuditEntry entry)
    {
        var waits = entry.Effect is "deny" || !settings.AuditIsRelaxed || question.Risk is not Risk.Read;
        return waits ? await audit.WriteAsync(entry) : audit.WriteSoon(entry);
    }

    private static AuditEntry EntryOf(Question question, Ruling ruling) => new()
    {
        Tenant = question.Grant.Tenant,
        Kind = AuditKinds.ToolCallDecision,
        Action = "tools/call",
        User = question.Grant.IsOwn ? null : question.Grant.Subject,
        Client = question.Grant.Client,
        Agent = question.Agent,
        Resource = question.Resource.Value,
        Tool = question.Tool,
        ToolHash = question.ToolHash,
        Grant = question.Grant,
        Effect = ruling.Because is null ? "allow" : "deny",
        Reason = ruling.Because,
        Charge = ruling.Charge,
        TokenId = question.TokenId,
        Network = question.Network,
        TraceParent = question.TraceParent,
        ArgumentsDigest = question.ArgumentsDigest,
    };

    // The rules so far are the grant itself. They are pure: all they need comes with the question.
    private static string? Refusal(Question question) => question switch
    {
        { Grant.Resource: var resource } when resource != question.Resource => "the grant is for another resource",
        { Grant.Scopes: var scopes } when !scopes.Has(question.Risk.Scope) =>
            $"the grant does not reach tools that {Verb(question.Risk)}",
        { Grant.Tools: { } tools } when !tools.Contains(question.Tool) => "the tool was not agreed to",
        { Unmet: not null } => SignInReason(question.Grant),
        _ => null,
    };

    /// <summary>The refusal of everything at a server for whose demands the person has not signed in.</summary>
    public static Verdict.No SignInRefusal(Grant grant, Scopes needs, SignInDemand demand) =>
        new(SignInReason(grant), needs, demand);

    private static string SignInReason(Grant grant) => grant.IsOwn
        ? "a person must have signed in for it, and there is none"
        : "the person must sign in again for it, more strongly or more lately";

    /// <summary>
    /// Everything the operation needs beside what is granted, so that one more question to the person is enough.
    /// </summary>
    private static Scopes Needs(Question question) =>
        question.Grant.Scopes.With(Scopes.Of(question.Risk.Scope)).Without(Scopes.OfflineAccess);

    private static string Verb(Risk risk) => risk switch
    {
        Risk.Read => "read",
        Risk.Change => "change something",
        Risk.Destroy => "destroy something",
        _ => throw new UnreachableException(),
    };
}

/// <summary>What came of asking policy; only <see cref="Permit.AskAsync"/> can put a permit into a yes.</summary>
internal abstract record Verdict
{
    private Verdict()
    {
    }

    public sealed record Yes(Permit Permit) : Verdict;

    /// <param name="Because">The cause in words that may be shown to the caller.</param>
    /// <param name="Needs">The scopes a challenge must name.</param>
    /// <param name="SignIn">How the person must sign in beside that; null when they did.</param>
    public sealed record No(string Because, Scopes Needs, SignInDemand? SignIn) : Verdict
    {
        /// <summary>The number that would be passed, where one decided.</summary>
        public Overrun? Over { get; init; }
    }
}
