using Postern.AspNetCore.AccessTokens;

namespace Postern.AspNetCore;

/// <summary>How strongly, and how lately, the person behind a token must have signed in (RFC 9470).</summary>
public sealed record SignInDemand
{
    /// <param name="acrValues">Any of these is strong enough, the preferred first; none for no matter.</param>
    /// <param name="maxAge">How long ago it may have been, in whole seconds; null for no matter.</param>
    /// <exception cref="ArgumentException">Nothing is demanded, or what can never be met or said.</exception>
    public SignInDemand(IReadOnlyList<string> acrValues, TimeSpan? maxAge = null)
    {
        if ((acrValues.Count is 0 && maxAge is null) || !acrValues.All(TokenClaims.IsScope))
        {
            throw new ArgumentException("Expected acr values without spaces, or an age, or both.", nameof(acrValues));
        }

        if (maxAge < TimeSpan.FromSeconds(1))
        {
            throw new ArgumentException("Expected at least a second.", nameof(maxAge));
        }

        (AcrValues, MaxAge) = (acrValues, maxAge);
    }

    private SignInDemand(IReadOnlyList<string> acrValues, TimeSpan? maxAge, bool isNever) =>
        (AcrValues, MaxAge, IsNever) = (acrValues, maxAge, isNever);

    /// <summary>Any of these is strong enough, the preferred first; empty for no matter.</summary>
    public IReadOnlyList<string> AcrValues { get; }

    /// <summary>How long ago it may have been; null for no matter.</summary>
    public TimeSpan? MaxAge { get; }

    // Two demands that no sign-in meets together.
    private bool IsNever { get; }

    /// <summary>Whether a sign-in is enough.</summary>
    /// <param name="acr">How strong it was (<c>acr</c>); null when that is not known.</param>
    /// <param name="authenticatedAt">When it was (<c>auth_time</c>); null when that is not known.</param>
    /// <param name="now">The time.</param>
    public bool IsMetBy(string? acr, DateTimeOffset? authenticatedAt, DateTimeOffset now) =>
        !IsNever
        && (AcrValues.Count is 0 || (acr is not null && AcrValues.Contains(acr, StringComparer.Ordinal)))
        && (MaxAge is not { } age || (authenticatedAt is { } then && now - then <= age));

    /// <summary>Whether the sign-in that a token tells of is enough.</summary>
    public bool IsMetBy(AccessToken token, DateTimeOffset now) =>
        IsMetBy(token.AuthenticationContext, token.AuthenticatedAt, now);

    /// <summary>Both, as one demand: a client is told all at once.</summary>
    public SignInDemand And(SignInDemand? other)
    {
        if (other is null)
        {
            return this;
        }

        var age = MaxAge is null || other.MaxAge < MaxAge ? other.MaxAge : MaxAge;
        if (AcrValues.Count is 0 || other.AcrValues.Count is 0)
        {
            return new([.. AcrValues, .. other.AcrValues], age, IsNever || other.IsNever);
        }

        var both = AcrValues.Intersect(other.AcrValues, StringComparer.Ordinal).ToList();
        return new(both, age, IsNever || other.IsNever || both.Count is 0);
    }
}
