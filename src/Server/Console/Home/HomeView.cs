namespace Postern.Console.Home;

/// <summary>The front page: what this is, and the addresses to paste into an app.</summary>
public sealed record HomeView(string? Person, IReadOnlyList<HomeServer> Servers);

public sealed record HomeServer(string Name, string Url);
