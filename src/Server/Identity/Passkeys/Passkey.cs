using System.Buffers.Text;
using Microsoft.AspNetCore.Identity;

namespace Postern.Identity.Passkeys;

/// <summary>A WebAuthn credential of a person. <paramref name="Id"/> is base64url, as browsers send it.</summary>
internal sealed record Passkey(
    TenantId Tenant,
    string Id,
    SubjectId Subject,
    string Name,
    byte[] PublicKey,
    long SignCount,
    IReadOnlyList<string> Transports,
    bool IsBackupEligible,
    bool IsBackedUp,
    DateTimeOffset CreatedAt)
{
    /// <summary>
    /// The form in which ASP.NET Core Identity checks it. Attestation is not asked for, so none is kept.
    /// </summary>
    public UserPasskeyInfo ToIdentity() => new(
        Base64Url.DecodeFromChars(Id),
        PublicKey,
        CreatedAt,
        (uint)SignCount,
        [.. Transports],
        isUserVerified: true,
        IsBackupEligible,
        IsBackedUp,
        [],
        []);

    public static Passkey Of(
        UserPasskeyInfo made, TenantId tenant, SubjectId subject, string name, DateTimeOffset now) =>
        new(
            tenant,
            Base64Url.EncodeToString(made.CredentialId),
            subject,
            name,
            made.PublicKey,
            made.SignCount,
            made.Transports ?? [],
            made.IsBackupEligible,
            made.IsBackedUp,
            now);
}
