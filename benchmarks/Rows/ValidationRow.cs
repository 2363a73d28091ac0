using System.Diagnostics;
using System.Globalization;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>
/// A resource server of the SDK that meets a token of the product for the second time, in this process.
/// </summary>
internal sealed class ValidationRow : Row
{
    private const int PerRound = 200_000;

    public override string Name => "validation";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var product = await stage.ProductAsync();
        var issuer = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{product.Port}");
        using var http = new HttpClient();
        var keys = new LocalKeys(KeySet.Parse(await http.GetByteArrayAsync(new Uri(issuer + "/jwks"), stage.Stop)));
        var validator = new AccessTokenValidator(issuer, keys, TimeProvider.System);
        var (token, resource) = (await ToolCall.TokenAsync(product, stage), issuer + "/mcp/echo");
        var outcome = await validator.ValidateAsync(token, resource, stage.Stop);
        if (outcome is not AccessToken)
        {
            throw new InvalidOperationException($"The product's own token was refused: {outcome}");
        }

        var rounds = Enumerable.Range(0, pace.Rounds + 2)
            .Select(_ => Round(validator, token, resource))
            .Skip(2)
            .ToList();
        return
        [
            Finding.AtMost("µs to validate a token seen before", 2, new(rounds.Select(round => round.Micros))),
            Finding.AtMost("bytes allocated by it", 0, new(rounds.Select(round => round.Bytes))),
        ];
    }

    private static (double Micros, double Bytes) Round(AccessTokenValidator validator, string token, string resource)
    {
        var (start, bytes) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < PerRound; i++)
        {
            var judging = validator.ValidateAsync(token, resource, CancellationToken.None);
            if (!judging.IsCompletedSuccessfully || judging.Result is not AccessToken)
            {
                throw new InvalidOperationException("A token that was good is no longer.");
            }
        }

        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        return (Stopwatch.GetElapsedTime(start).TotalMicroseconds / PerRound, (double)bytes / PerRound);
    }
}
