namespace Postern.OAuth.Logout;

/// <summary>What the page says that asks whether to sign out.</summary>
/// <param name="App">Which app asks, if somebody vouches for its name.</param>
/// <param name="Account">Who is signed in.</param>
/// <param name="Action">Where the answer goes: the same request, confirmed.</param>
/// <param name="FormToken">Binds the answer to this request and session.</param>
public sealed record LogoutView(string? App, string Account, string Action, string FormToken);
