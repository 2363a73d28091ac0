using Postern.Bench.Load;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>
/// Token exchange: a person's token becomes one of a service that acts for them. The peer has no such grant; the floor
/// signs as many tokens and judges none.
/// </summary>
internal sealed class ExchangeRow : Row
{
    private const int Connections = 32;

    public override string Name => "exchange";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var (product, floor) = (await stage.ProductAsync(), await stage.FloorAsync());
        var request = Script.Form(
            "/token", product.Port,
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"
            + "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
            + "&subject_token=" + await TokenAsync(product, stage),
            Stage.DeskBasic);
        var contest = await Contest.RunAsync(
            pace,
            Side("product", product, request),
            Side("floor", floor, ClientCredentialsRow.Request(floor.Port)));
        return [Finding.Shown("token exchange / floor", contest.Rate("product", "floor"), contest.Figures())];

        Side Side(string name, Child child, byte[] asked) => new(name, child, length => ClosedLoop.RunAsync(
            child.Port,
            [.. Enumerable.Range(0, Connections).Select(_ => new Repeated(asked))],
            length,
            stage.Stop));
    }

    private static async Task<string> TokenAsync(Child product, Stage stage)
    {
        using var person = new Person(product.Port, "/authorize");
        using var connection = await Connection.OpenAsync(product.Port, stage.Stop);
        var redeemed = await connection.AskAsync((await person.AgreeAsync(1, stage.Stop)).First());
        return Tokens.Access(redeemed.Body.Span);
    }
}
