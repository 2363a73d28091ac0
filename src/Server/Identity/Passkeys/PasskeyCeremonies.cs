using System.Buffers.Binary;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Postern.Identity.Sessions;
using Postern.Identity.Users;
using Postern.Platform;
using Postern.Platform.Keys;
using Postern.Platform.Tenants;

namespace Postern.Identity.Passkeys;

/// <summary>
/// Adds passkeys and signs in by them (WebAuthn Level 3). The check is ASP.NET Core Identity's; the policy is ours and
/// is held here: our origin and no other, no frame, the person verified, each challenge sealed for one browser, short
/// and good once.
/// </summary>
internal sealed class PasskeyCeremonies(
    UserStore users,
    PasskeyStore passkeys,
    Sealer sealer,
    Once once,
    TimeProvider clock,
    IServiceProvider services)
{
    /// <summary>
    /// The most characters of an answer; the largest have a certificate chain, which we do not ask for.
    /// </summary>
    private const int MaxAnswer = 16 * 1024;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>
    /// WebAuthn names a relying party by its domain; an address made of numbers cannot have passkeys.
    /// </summary>
    private static bool IsPossible(Tenant tenant) => !IPAddress.TryParse(HostOf(tenant), out _);

    /// <summary>What a browser needs to sign in by passkey; null where passkeys cannot be.</summary>
    public async Task<Ceremony?> BeginSignInAsync(HttpContext http, string browser)
    {
        if (!IsPossible(http.Tenant))
        {
            return null;
        }

        using var people = People(http.Tenant.Id);
        var made = await Handler(people, http.Tenant).MakeRequestOptionsAsync(null, http);
        return new(made.RequestOptionsJson, Seal(http.Tenant.Id, "passkey-signin", made.AssertionState!, browser));
    }

    /// <summary>What a browser needs to make a passkey for a person who need not exist yet.</summary>
    public async Task<Ceremony?> BeginAddAsync(HttpContext http, SubjectId subject, string email, string holder)
    {
        if (!IsPossible(http.Tenant))
        {
            return null;
        }

        using var people = People(http.Tenant.Id);
        var entity = new PasskeyUserEntity { Id = subject.Value, Name = email, DisplayName = email };
        var made = await Handler(people, http.Tenant).MakeCreationOptionsAsync(entity, http);
        return new(made.CreationOptionsJson, Seal(http.Tenant.Id, "passkey-add", made.AttestationState!, holder));
    }

    /// <summary>
    /// Whose passkey signed the challenge we gave this browser, and the passkey as it stands now; else null.
    /// </summary>
    public async Task<(User User, Passkey Used)?> FinishSignInAsync(
        HttpContext http, string answer, string? state, string? browser)
    {
        if (answer is not { Length: <= MaxAnswer }
            || Open(http.Tenant.Id, "passkey-signin", state, browser) is not var (challenge, expires))
        {
            return null;
        }

        using var people = People(http.Tenant.Id);
        var result = await Handler(people, http.Tenant).PerformAssertionAsync(
            new() { HttpContext = http, CredentialJson = answer, AssertionState = challenge });
        return result is { Succeeded: true, User: { DisabledAt: null } user, Passkey: { IsUserVerified: true } used }
            && await once.TakeAsync(user.Tenant, "passkey", state!, expires)
                ? (user, Passkey.Of(used, user.Tenant, user.Id, "", clock.GetUtcNow()))
                : null;
    }

    /// <summary>The passkey a browser made on our challenge, and the person it was made for; else null.</summary>
    public async Task<Passkey?> FinishAddAsync(HttpContext http, string? answer, string? state, string? holder)
    {
        if (answer is not { Length: <= MaxAnswer }
            || Open(http.Tenant.Id, "passkey-add", state, holder) is not var (challenge, expires))
        {
            return null;
        }

        using var people = People(http.Tenant.Id);
        var result = await Handler(people, http.Tenant).PerformAttestationAsync(
            new() { HttpContext = http, CredentialJson = answer, AttestationState = challenge });
        return result is { Succeeded: true, Passkey: { IsUserVerified: true } made, UserEntity: { } entity }
            && await once.TakeAsync(http.Tenant.Id, "passkey", state!, expires)
                ? Passkey.Of(
                    made,
                    http.Tenant.Id,
                    new(entity.Id),
                    DeviceName.Of(http.Request.Headers.UserAgent),
                    clock.GetUtcNow())
                : null;
    }

    private UserManager<User> People(TenantId tenant) => new(
        new PasskeyLookup(tenant, users, passkeys),
        Options.Create(new IdentityOptions()),
        new PasswordHasher<User>(),
        [],
        [],
        new UpperInvariantLookupNormalizer(),
        new(),
        services,
        services.GetRequiredService<ILogger<UserManager<User>>>());

    private static PasskeyHandler<User> Handler(UserManager<User> people, Tenant tenant) =>
        new(people, Options.Create(new IdentityPasskeyOptions
        {
            ServerDomain = HostOf(tenant),
            AuthenticatorTimeout = Lifetime,
            ChallengeSize = 32,
            UserVerificationRequirement = "required",
            ResidentKeyRequirement = "required",
            AttestationConveyancePreference = "none",
            ValidateOrigin = context =>
                ValueTask.FromResult(context.Origin == tenant.Origin && !context.CrossOrigin),
        }));

    private static string HostOf(Tenant tenant) => new Uri(tenant.Issuer).Host;

    private string Seal(TenantId tenant, string purpose, string state, string holder)
    {
        var bytes = new byte[sizeof(long) + Encoding.UTF8.GetByteCount(state)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, clock.GetUtcNow().Add(Lifetime).ToUnixTimeSeconds());
        Encoding.UTF8.GetBytes(state, bytes.AsSpan(sizeof(long)));
        return sealer.Seal(tenant, purpose, bytes, Encoding.UTF8.GetBytes(holder));
    }

    private (string State, DateTimeOffset Expires)? Open(
        TenantId tenant, string purpose, string? text, string? holder)
    {
        if (text is null || holder is null
            || sealer.Open(tenant, purpose, text, Encoding.UTF8.GetBytes(holder))
                is not { Length: > sizeof(long) } bytes)
        {
            return null;
        }

        var expires = DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(bytes));
        return clock.GetUtcNow() < expires ? (Encoding.UTF8.GetString(bytes.AsSpan(sizeof(long))), expires) : null;
    }
}

/// <summary>The options a browser is shown, and the sealed state its answer must bring back.</summary>
internal sealed record Ceremony(string Options, string State);
