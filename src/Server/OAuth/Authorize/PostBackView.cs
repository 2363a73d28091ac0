namespace Postern.OAuth.Authorize;

/// <summary>An answer that the browser posts (Form Post Response Mode §2).</summary>
/// <param name="What">What happened.</param>
/// <param name="Whose">What follows.</param>
/// <param name="Address">The client's own, proven before.</param>
/// <param name="Place">The same in words.</param>
/// <param name="Fields">What is posted.</param>
/// <param name="IsAutomatic">It goes by itself; without scripts, and where a person should look first, by a
/// button.</param>
public sealed record PostBackView(
    string What,
    string Whose,
    string Address,
    string Place,
    IReadOnlyList<(string Name, string Value)> Fields,
    bool IsAutomatic);
