using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Postern.Tests.Shared;

/// <summary>Waits for what comes by itself and gives no sign.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Task TrueAsync(Func<bool> isSo, [CallerArgumentExpression(nameof(isSo))] string what = "") =>
        TrueAsync(() => Task.FromResult(isSo()), what);

    public static async Task TrueAsync(Func<Task<bool>> isSo, [CallerArgumentExpression(nameof(isSo))] string what = "")
    {
        var clock = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(clock.Elapsed < Patience, $"Not within {Patience.TotalSeconds} s: {what}");
            await Task.Delay(20);
        }
    }

    /// <summary>
    /// How long it takes at best. Beside other tests a machine may be slow at any one time, and not at each.
    /// </summary>
    public static async Task<TimeSpan> AtBestAsync(Func<Task> act)
    {
        var best = TimeSpan.MaxValue;
        for (var tries = 0; tries < 5; tries++)
        {
            var clock = Stopwatch.StartNew();
            await act();
            best = clock.Elapsed < best ? clock.Elapsed : best;
        }

        return best;
    }
}
