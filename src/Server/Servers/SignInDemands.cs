using Postern.AspNetCore;
using Postern.Platform.Configuration;

namespace Postern.Servers;

/// <summary>How a person must have signed in for a server, for its tools of one class, and for single ones.</summary>
internal sealed record SignInDemands
{
    public static readonly SignInDemands None = new();

    private readonly IReadOnlyDictionary<Risk, SignInDemand> risks;
    private readonly IReadOnlyDictionary<string, SignInDemand> tools;

    private SignInDemands(RequireSeed? seed = null)
    {
        (Seed, Everywhere) = (seed, Of(seed));
        SignInSeed?[] classes = [seed?.Read, seed?.Change, seed?.Destroy];
        risks = Risks.All.Where(risk => Of(classes[(int)risk]) is not null)
            .ToDictionary(risk => risk, risk => Of(classes[(int)risk])!);
        tools = (seed?.Tools ?? []).Where(tool => Of(tool) is not null)
            .ToDictionary(tool => tool.Name, tool => Of(tool)!, StringComparer.Ordinal);
    }

    /// <summary>As an operator wrote it; null for nothing.</summary>
    public RequireSeed? Seed { get; }

    /// <summary>For anything at all; null for no matter.</summary>
    public SignInDemand? Everywhere { get; }

    private bool IsNone => Everywhere is null && !IsForTools;

    /// <summary>What is demanded beyond that somewhere.</summary>
    public bool IsForTools => risks.Count + tools.Count > 0;

    public static SignInDemands From(RequireSeed? seed) =>
        new SignInDemands(seed) is { IsNone: false } demands ? demands : None;

    /// <summary>All that a tool demands; null for no matter.</summary>
    public SignInDemand? For(string tool, Risk risk)
    {
        if (!IsForTools)
        {
            return Everywhere;
        }

        var own = tools.GetValueOrDefault(tool);
        var ofClass = risks.GetValueOrDefault(risk);
        var ofTool = own is null ? ofClass : own.And(ofClass);
        return ofTool is null ? Everywhere : ofTool.And(Everywhere);
    }

    // What is stronger than enough is enough; said in the demand, so that it compares as text everywhere.
    private static SignInDemand? Of(SignInSeed? seed) => seed switch
    {
        { Acr: { Count: > 0 } acr } => new(Acr.AtLeast(acr), AgeOf(seed)),
        { MaxAge: not null } => new([], AgeOf(seed)),
        _ => null,
    };

    private static TimeSpan? AgeOf(SignInSeed seed) =>
        seed.MaxAge is { } text ? SignInSeed.ParseAge(text) : null;
}
