namespace Postern.Domain;

/// <summary>
/// Single claims that a client asks for (OpenID Connect Core §5.5), of those there are, by where they are to be told.
/// </summary>
/// <param name="IdToken">In the ID token.</param>
/// <param name="UserInfo">At the UserInfo endpoint.</param>
public sealed record ClaimsWanted(IReadOnlyList<string> IdToken, IReadOnlyList<string> UserInfo)
{
    public const string Name = "name", Email = "email", EmailVerified = "email_verified";

    /// <summary>The claims that are kept of a person, and the scope that stands for each.</summary>
    public static readonly IReadOnlyDictionary<string, string> Scope = new Dictionary<string, string>
    {
        [Name] = Scopes.Profile,
        [Email] = Scopes.Email,
        [EmailVerified] = Scopes.Email,
    };

    /// <summary>The scopes it amounts to: what a person is asked about.</summary>
    public Scopes Scopes => Domain.Scopes.Of(IdToken.Concat(UserInfo).Select(claim => Scope[claim]));

    /// <summary>By what is in the lists: two readings of one text are the same.</summary>
    public bool Equals(ClaimsWanted? other) =>
        other is not null && IdToken.SequenceEqual(other.IdToken) && UserInfo.SequenceEqual(other.UserInfo);

    public override int GetHashCode() => HashCode.Combine(IdToken.Count, UserInfo.Count);

    /// <summary>Whether a person has agreed to tell each of them, by itself or as part of a scope.</summary>
    public bool IsWithin(Grant grant) => IdToken.Concat(UserInfo).All(claim =>
        grant.Scopes.Has(Scope[claim])
        || grant.Claims is { } agreed && agreed.IdToken.Concat(agreed.UserInfo).Contains(claim));

    /// <summary>What is left of it when a person agrees to these scopes; null for nothing.</summary>
    public ClaimsWanted? Within(Scopes agreed)
    {
        var left = new ClaimsWanted([.. IdToken.Where(Agreed)], [.. UserInfo.Where(Agreed)]);
        return left.IdToken.Count + left.UserInfo.Count > 0 ? left : null;

        bool Agreed(string claim) => agreed.Has(Scope[claim]);
    }
}
