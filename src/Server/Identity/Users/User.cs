using System.Security.Cryptography;

namespace Postern.Identity.Users;

/// <summary>A person with an account here.</summary>
internal sealed record User
{
    public const string Prefix = "us_";

    public required TenantId Tenant { get; init; }

    public required SubjectId Id { get; init; }

    /// <summary>As the person typed it.</summary>
    public required string Email { get; init; }

    /// <summary>What they are called; null when nobody has said.</summary>
    public string? Name { get; init; }

    /// <summary>Somebody knows that mail to the address arrives with them.</summary>
    public bool IsEmailVerified { get; init; }

    /// <summary>Null for who signs in by passkey alone.</summary>
    public string? PasswordHash { get; init; }

    public bool IsAdmin { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Since when they are switched off, by themselves or with their organization.</summary>
    public DateTimeOffset? DisabledAt { get; init; }

    public static SubjectId NewId(DateTimeOffset now, RandomNumberGenerator random) =>
        new(Prefix + random.Version7(now).ToString("N"));
}
