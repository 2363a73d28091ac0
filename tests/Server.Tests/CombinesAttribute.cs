using Xunit.v3;

namespace Postern.Tests;

/// <summary>Says what a test shows together; docs/combinations.md is generated from these.</summary>
/// <param name="features">Words of <see cref="Combinations"/>; each of them with each other.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class CombinesAttribute(params string[] features) : Attribute, ITraitAttribute
{
    public IReadOnlyList<string> Features => features;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() =>
        [.. features.Select(feature => KeyValuePair.Create("combines", feature))];
}
