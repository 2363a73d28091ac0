using Postern.Platform.Database;

namespace Postern.Platform.Http;

/// <summary>For whoever keeps the process alive: <c>/healthz</c> says that it runs, <c>/readyz</c> that it can serve.</summary>
internal static class Probes
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", () => Results.Text("ok\n")).Open();
        routes.MapGet("/readyz", ReadyAsync).Open();
    }

    private static async Task<IResult> ReadyAsync(Db db, IHostApplicationLifetime life, CancellationToken stop)
    {
        // Not ready from the moment it is asked to stop, so that a balancer sends nobody to a draining node.
        if (life.ApplicationStopping.IsCancellationRequested)
        {
            return Results.Text("stopping\n", statusCode: 503);
        }

        try
        {
            await db.PingAsync(stop);
            return Results.Text("ready\n");
        }
        catch (DatabaseUnavailableException)
        {
            return Results.Text("the database does not answer\n", statusCode: 503);
        }
    }
}
