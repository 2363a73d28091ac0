using Postern.Identity.Agents;
using Postern.Identity.Passkeys;
using Postern.Identity.Passwords;
using Postern.Identity.Sessions;
using Postern.Identity.Setup;
using Postern.Identity.SignIn;
using Postern.Identity.SignOut;
using Postern.Identity.Users;

namespace Postern.Identity;

/// <summary>What the plan of the house needs to know of these rooms.</summary>
internal static class IdentityRooms
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<UserStore>();
        services.AddSingleton<UserSeeds>();
        services.AddSingleton<PartySeeds>();
        services.AddSingleton<ForeignSubjects>();
        services.AddSingleton<PasswordHashes>();
        services.AddSingleton<PasskeyStore>();
        services.AddSingleton<PasskeyCeremonies>();
        services.AddSingleton<SessionStore>();
        services.AddSingleton<SessionBook>();
        services.AddSingleton<Dismissal>();
        services.AddSingleton<KnownBrowser>();
        services.AddSingleton<SignInThrottle>();
        services.AddSingleton<SignInTries>();
        services.AddSingleton<SignInPages>();
        services.AddSingleton<LetIn>();
        services.AddSingleton<PasswordChange>();
        services.AddSingleton<SetupLinks>();
        services.AddSingleton<SetupDesk>();
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        SignInEndpoint.Map(routes);
        SignOutEndpoint.Map(routes);
        SetupEndpoint.Map(routes);
    }
}
