using Postern.Bench.Load;
using Postern.Bench.Report;
using Postern.Bench.Sides;

namespace Postern.Bench.Rows;

/// <summary>Refresh with rotation: every answer holds the token of the next request.</summary>
internal sealed class RefreshRow : Row
{
    private const int Connections = 32;

    public override string Name => "refresh";

    public override async Task<IReadOnlyList<Finding>> MeasureAsync(Stage stage, Pace pace)
    {
        var contest = await Contest.RunAsync(
            pace,
            await SideAsync("product", await stage.ProductAsync(), "/authorize", stage),
            await SideAsync("peer", await stage.PeerAsync(), "/auth", stage));
        return [Finding.AtLeast("refresh with rotation / peer", 3, contest.Rate("product", "peer"), contest.Figures())];
    }

    private static async Task<Side> SideAsync(string name, Child child, string authorizePath, Stage stage)
    {
        using var person = new Person(child.Port, authorizePath);
        using var connection = await Connection.OpenAsync(child.Port, stage.Stop);
        var scripts = new List<Script>();
        foreach (var request in await person.AgreeAsync(Connections, stage.Stop))
        {
            var answer = await connection.AskAsync(request);
            scripts.Add(new Rotating(token => Request(child.Port, token), Tokens.Refresh(answer.Body.Span)));
        }

        return new(name, child, length => ClosedLoop.RunAsync(child.Port, scripts, length, stage.Stop));
    }

    private static byte[] Request(int port, string token) =>
        Script.Form(
            "/token", port, $"grant_type=refresh_token&client_id=app&refresh_token={Uri.EscapeDataString(token)}");
}
