using Postern.Platform.Database;

namespace Postern.Platform.Http;

/// <summary>
/// For whoever keeps the process alive: <c>/healthz</c> says that it runs, <c>/readyz</c> that it can serve.
/// </summary>
internal static class Probes
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", () => Results.Text("ok\n")).Open().AtBoth();
        routes.MapGet("/readyz", ReadyAsync).Open().AtBoth();
    }

    private static async Task<IResult> ReadyAsync(
        Db db, Changes changes, IHostApplicationLifetime life, CancellationToken stop)
    {
        // Not ready from the moment it is asked to stop, so that a balancer sends nobody to a draining node.
        if (life.ApplicationStopping.IsCancellationRequested)
        {
            return Results.Text("stopping\n", statusCode: 503);
        }

        try
        {
            await db.PingAsync(stop);
            return changes.IsHearing
                ? Results.Text("ready\n")
                : Results.Text("this node does not hear what other nodes change\n", statusCode: 503);
        }
        catch (DatabaseUnavailableException)
        {
            return Results.Text("the database does not answer\n", statusCode: 503);
        }
    }
}
