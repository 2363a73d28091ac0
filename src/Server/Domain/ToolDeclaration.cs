namespace Postern.Domain;

/// <summary>
/// What a tool does, by the word of its server's operator: what it spends, which data it touches, whom it calls. By
/// this its calls are held to details. What is not said is not known, and never taken for nothing.
/// </summary>
public sealed record ToolDeclaration
{
    public required string Name { get; init; }

    public Spending? Spends { get; init; }

    /// <summary>The data it touches, as a detail that would just allow it.</summary>
    public Detail? Data { get; init; }

    /// <summary>The calls it makes elsewhere, each as a detail that would just allow it.</summary>
    public IReadOnlyList<Detail>? Calls { get; init; }

    /// <summary>Whether there is a call of it that can be held to this and is allowed by it.</summary>
    public bool CanKeep(Detail detail) => detail.Type switch
    {
        Detail.Spend => Spends?.CanKeep(detail) is true,
        Detail.DataAccess => Data?.IsWithin(detail) is true,
        Detail.Egress => Calls?.Any(call => call.IsWithin(detail)) is true,
        _ => true,
    };
}
