using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Postern.Tests;

/// <summary>Runs a test once on each database.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnBothAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(
        MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([.. Enum.GetValues<On>().Select(on => new TheoryDataRow<On>(on))]);

    public override bool SupportsDiscoveryEnumeration() => true;
}
