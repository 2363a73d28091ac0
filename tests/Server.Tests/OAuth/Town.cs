namespace Postern.Tests.OAuth;

/// <summary>One server for a class of tests that only ask, with a person who has signed in.</summary>
public sealed class Town : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    internal Person Ada { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(Butler.Town());
        Ada = new(Server);
        await Ada.SignInAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Ada.Dispose();
        await Server.DisposeAsync();
    }
}
