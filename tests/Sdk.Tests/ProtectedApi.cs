namespace Postern.AspNetCore.Tests;

/// <summary>An issuer and a resource server that trusts it, shared by the tests of a class.</summary>
public sealed class ProtectedApi : IAsyncLifetime
{
    internal Issuer Issuer { get; } = new();

    internal ResourceServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await ResourceServer.StartAsync(Issuer);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Issuer.Dispose();
    }
}
