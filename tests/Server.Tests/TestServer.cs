using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Postern.Platform.Database;

namespace Postern.Tests;

/// <summary>Which database a test runs on. Every test that names it runs on both.</summary>
public enum On
{
    Sqlite,
    Postgres,
}

/// <summary>The real server on a loopback port: real routes, a real database, and a clock the test owns.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly string folder;
    private readonly string database;
    private readonly WebApplication app;
    private readonly bool isFirst;
    private bool isStopped;

    private TestServer(
        string folder, string database, WebApplication app, FakeClock clock, LogLines log, string issuer, bool isFirst)
    {
        (this.folder, this.database, this.app, this.isFirst) = (folder, database, app, isFirst);
        (Clock, Log, Issuer) = (clock, log, issuer);
        Http = NewBrowser();
    }

    public FakeClock Clock { get; }

    /// <summary>Everything the server logged.</summary>
    public LogLines Log { get; }

    public string Issuer { get; }

    /// <summary>A client without cookies that follows nothing.</summary>
    public HttpClient Http { get; }

    /// <summary>Where its data lies, as an operator would say it.</summary>
    public string Database => database;

    /// <summary>The folder of the database, the key and the logs.</summary>
    public string Folder => folder;

    public T Get<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    public Db Db => Get<Db>();

    /// <summary>Starts a server.</summary>
    /// <param name="yaml">Settings below <c>issuer</c>, <c>listen</c>, <c>database</c> and <c>data</c>.</param>
    /// <param name="on">The database.</param>
    /// <param name="replace">Exchanges what a test must own.</param>
    /// <param name="like">Shares database, key and clock with another node.</param>
    /// <param name="issuer">Where it is to be found, when others must know before it starts.</param>
    /// <param name="scheme">Whether it ends TLS itself; the settings then name its certificate.</param>
    public static async Task<TestServer> StartAsync(
        string yaml = "", On on = On.Sqlite, Action<IServiceCollection>? replace = null, TestServer? like = null,
        string? issuer = null, string scheme = "http")
    {
        var folder = like?.folder ?? Directory.CreateTempSubdirectory("postern-").FullName;
        var database = like is not null ? like.database
            : on is On.Postgres ? await Postgres.NewDatabaseAsync() : $"sqlite:{folder}/postern.db";
        var clock = like?.Clock ?? new FakeClock();
        var log = new LogLines();
        for (var tries = 0; ; tries++)
        {
            var port = issuer is null ? Postgres.FreePort() : new Uri(issuer).Port;
            // Nodes of one installation have one address; the second listens elsewhere behind it.
            var name = like?.Issuer ?? $"{scheme}://127.0.0.1:{port}";
            var file = Path.Combine(folder, $"postern-{port}.yaml");
            await File.WriteAllTextAsync(file, yaml);
            var app = Program.Build(
                [
                    "--config", file,
                    "--issuer", name,
                    "--listen", $"{scheme}://127.0.0.1:{port}",
                    "--database", database,
                    "--data", folder,
                ],
                services =>
                {
                    services.AddSingleton<TimeProvider>(clock);
                    services.AddLogging(logging => logging.ClearProviders().AddProvider(log));
                    replace?.Invoke(services);
                });
            try
            {
                await app.StartAsync();
                var server = new TestServer(folder, database, app, clock, log, name, isFirst: like is null);
                server.Http.BaseAddress = new($"{scheme}://127.0.0.1:{port}");
                server.Http.DefaultRequestHeaders.Host = new Uri(name).Authority;
                return server;
            }
            catch (IOException) when (tries < 5)
            {
                // Somebody took the port in between.
                await app.DisposeAsync();
            }
        }
    }

    /// <summary>An HTTP client that keeps cookies like a browser and follows nothing.</summary>
    public HttpClient NewBrowser()
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false };
        return new(handler) { BaseAddress = new(Issuer) };
    }

    /// <summary>Stops serving and lets go of the database, so that another may start like this one.</summary>
    public async Task StopAsync()
    {
        if (isStopped)
        {
            return;
        }

        isStopped = true;
        await app.StopAsync();
        await app.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await StopAsync();
        if (isFirst)
        {
            Forget();
        }
    }

    // The others like it are gone by then. What a command of a hosted server still holds on to is no failure of a test.
    private void Forget()
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception held) when (held is IOException or UnauthorizedAccessException)
        {
        }
    }
}

/// <summary>Keeps every log line with its values, so that a test can look for what must not be there.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> lines = new();

    public IReadOnlyCollection<string> All => lines;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
