namespace Postern.Domain;

/// <summary>
/// How strongly a person proved who they are (OpenID Connect Core §2, <c>acr</c> and <c>amr</c>; RFC 9470).
/// </summary>
public static class Acr
{
    /// <summary>Phishing-resistant: a passkey that verified the person (OpenID EAP ACR Values 1.0 §2).</summary>
    public const string Passkey = "phr";

    public const string Password = "urn:postern:acr:pwd";

    /// <summary>All that is told, the weakest first.</summary>
    public static readonly string[] All = [Password, Passkey];

    private static readonly string[] ByPasskey = ["pop", "user", "mfa"], ByPassword = ["pwd"];

    /// <summary>What a way to sign in amounts to.</summary>
    public static string Of(string method) => method is "passkey" ? Passkey : Password;

    /// <summary>By what it was proven (RFC 8176).</summary>
    public static IReadOnlyList<string> Methods(string acr) => acr is Passkey ? ByPasskey : ByPassword;

    /// <summary>
    /// Whether a sign-in is as strong as one of these; values that are not known here ask for nothing.
    /// </summary>
    public static bool Meets(string? acr, IEnumerable<string> wanted)
    {
        var least = Least(wanted);
        return least < 0 || (acr is not null && Array.IndexOf(All, acr) >= least);
    }

    /// <summary>These, and all that is stronger, the weakest first.</summary>
    public static IReadOnlyList<string> AtLeast(IEnumerable<string> wanted) => [.. All.Skip(Least(wanted))];

    /// <summary>Of two demands the one that is harder to meet: who meets it meets both.</summary>
    public static IReadOnlyList<string> Stricter(IReadOnlyList<string> one, IReadOnlyList<string> other) =>
        Least(other) > Least(one) ? other : one;

    // The place of the weakest that is enough; before the first when nothing known is asked for.
    private static int Least(IEnumerable<string> wanted) =>
        wanted.Select(value => Array.IndexOf(All, value)).Where(rank => rank >= 0).DefaultIfEmpty(-1).Min();
}
