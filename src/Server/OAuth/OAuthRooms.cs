using Postern.OAuth.Attest;
using Postern.OAuth.Authorize;
using Postern.OAuth.Backchannel;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Consent;
using Postern.OAuth.Device;
using Postern.OAuth.Discover;
using Postern.OAuth.Feed;
using Postern.OAuth.Introspect;
using Postern.OAuth.Logout;
using Postern.OAuth.OpenId;
using Postern.OAuth.Push;
using Postern.OAuth.Register;
using Postern.OAuth.Requests;
using Postern.OAuth.Revoke;
using Postern.OAuth.Status;
using Postern.OAuth.Token;
using Postern.OAuth.UserInfo;

namespace Postern.OAuth;

/// <summary>What the program must know of these rooms, in the order in which a client meets them.</summary>
internal static class OAuthRooms
{
    public static void Add(IServiceCollection services)
    {
        AddClients(services);
        AddMetadata(services);
        AddRequests(services);
        AddTokens(services);
        AddAfterwards(services);
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        MetadataEndpoint.Map(app);
        RegisterEndpoint.Map(app);
        ManageEndpoint.Map(app);
        ChallengeEndpoint.Map(app);
        PushEndpoint.Map(app);
        AuthorizeEndpoint.Map(app);
        ConsentEndpoint.Map(app);
        BackchannelEndpoint.Map(app);
        DeviceEndpoint.Map(app);
        UserCodeEndpoint.Map(app);
        AskEndpoint.Map(app);
        TokenEndpoint.Map(app);
        RevokeEndpoint.Map(app);
        GlobalRevocationEndpoint.Map(app);
        IntrospectEndpoint.Map(app);
        StatusListEndpoint.Map(app);
        FeedEndpoint.Map(app);
        UserInfoEndpoint.Map(app);
        LogoutEndpoint.Map(app);
    }

    // Who a client is, and how it proves it.
    private static void AddClients(IServiceCollection services)
    {
        services.AddSingleton<ClientStore>();
        services.AddSingleton<ClientDocuments>();
        services.AddSingleton<ClientBook>();
        services.AddSingleton<DepartedClients>();
        services.AddSingleton<ClientKeys>();
        services.AddSingleton<AuthMethods>();
        services.AddSingleton<ClientAssertion>();
        services.AddSingleton<Attesters>();
        services.AddSingleton<Attestations>();
        services.AddSingleton<ChallengeEndpoint>();
        services.AddSingleton<ClientCertificates>();
        services.AddSingleton<SpiffeBundles>();
        services.AddSingleton<Svids>();
        services.AddSingleton<Refusals>();
        services.AddSingleton<ClientAuthenticator>();
        services.AddSingleton<PresenterProofs>();
        services.AddSingleton<TrustedIssuers>();
        services.AddSingleton<Workloads>();
    }

    // What the server says of itself, who registers there, and who people are.
    private static void AddMetadata(IServiceCollection services)
    {
        services.AddSingleton<MetadataEndpoint>();
        services.AddSingleton<Registrations>();
        services.AddSingleton<Sectors>();
        services.AddSingleton<RegisterEndpoint>();
        services.AddSingleton<ManageEndpoint>();
        services.AddSingleton<Subjects>();
        services.AddSingleton<PersonClaims>();
        services.AddSingleton<IdTokens>();
        services.AddSingleton<OwnIdTokens>();
        services.AddSingleton<UserInfoEndpoint>();
        services.AddSingleton<LogoutSender>();
        services.AddSingleton<LogoutEndpoint>();
    }

    // What is asked for, in a browser and without one, and what a person says to it.
    private static void AddRequests(IServiceCollection services)
    {
        services.AddSingleton<Situations>();
        services.AddSingleton<PushedRequests>();
        services.AddSingleton<RequestObjects>();
        services.AddSingleton<AuthorizeAnswers>();
        services.AddSingleton<PushEndpoint>();
        services.AddSingleton<Arrivals>();
        services.AddSingleton<Proposer>();
        services.AddSingleton<AuthorizeEndpoint>();
        services.AddSingleton<ConsentDecision>();
        services.AddSingleton<ConsentForm>();
        services.AddSingleton<ConsentEndpoint>();
        services.AddSingleton<AskEndpoint>();
        services.AddSingleton<WishReader>();
        services.AddSingleton<BackchannelRequests>();
        services.AddSingleton<BackchannelEndpoint>();
        services.AddSingleton<DeviceEndpoint>();
        services.AddSingleton<UserCodeEndpoint>();
    }

    // What comes of it. A grant type is a class and a line here.
    private static void AddTokens(IServiceCollection services)
    {
        services.AddSingleton<IGrantType, CodeGrant>();
        services.AddSingleton<IGrantType, RefreshGrant>();
        services.AddSingleton<IGrantType, ClientCredentialsGrant>();
        services.AddSingleton<IGrantType, BackchannelGrant>();
        services.AddSingleton<IGrantType, DeferredGrant>();
        services.AddSingleton<IGrantType, DeviceGrant>();
        services.AddSingleton<Deferrals>();
        services.AddSingleton<AskedGrant>();
        services.AddSingleton<Actors>();
        services.AddSingleton<AssertedPeople>();
        services.AddSingleton<IdentityAssertions>();
        services.AddSingleton<TransactionTokens>();
        services.AddSingleton<IGrantType, JwtBearerGrant>();
        services.AddSingleton<IGrantType, ExchangeGrant>();
        services.AddSingleton<GrantTypes>();
        services.AddSingleton<AccessTokenWriter>();
        services.AddSingleton<TokenForms>();
        services.AddSingleton<SenderConstraint>();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<StatementIssuer>();
        services.AddSingleton<TokenEndpoint>();
    }

    // What becomes of tokens.
    private static void AddAfterwards(IServiceCollection services)
    {
        services.AddSingleton<RevokeEndpoint>();
        services.AddSingleton<SubjectIdentifiers>();
        services.AddSingleton<GlobalRevocationEndpoint>();
        services.AddSingleton<IntrospectEndpoint>();
        services.AddSingleton<StatusListEndpoint>();
        services.AddSingleton<RevocationFeed>();
        services.AddSingleton<FeedTeller>();
        services.AddSingleton<FeedEndpoint>();
    }
}
