using System.Security.Cryptography;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Postern.AspNetCore.AccessTokens;
using Postern.AspNetCore.Keys;
using Postern.AspNetCore.Metadata;
using Postern.AspNetCore.Proofs;
using Postern.AspNetCore.Revocations;
using Postern.AspNetCore.Transactions;

namespace Postern.AspNetCore;

/// <summary>Protects an ASP.NET Core application with access tokens.</summary>
public static class PosternExtensions
{
    /// <summary>The authentication scheme, and the name of the HTTP client that fetches the issuer's keys.</summary>
    public const string SchemeName = PosternHandler.Scheme;

    private static readonly AuthorizationPolicy AnyToken =
        new AuthorizationPolicyBuilder(SchemeName).RequireAuthenticatedUser().Build();

    /// <summary>
    /// Adds the authentication scheme, and an <see cref="AccessTokenValidator"/> for use by hand. From then on every
    /// endpoint needs a valid token, unless it says AllowAnonymous.
    /// </summary>
    /// <param name="configure">Sets at least issuer and resource.</param>
    public static IServiceCollection AddPostern(this IServiceCollection services, Action<PosternOptions> configure)
    {
        services.AddOptions<PosternOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<PosternOptions>, PosternOptionsCheck>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddHttpClient(SchemeName).ConfigurePrimaryHttpMessageHandler(
            () => new SocketsHttpHandler { AllowAutoRedirect = false });
        services.TryAddSingleton(Keys);
        services.TryAddSingleton(Questions);
        services.TryAddSingleton(Watch);
        services.AddHostedService<RevocationFollower>();
        services.TryAddSingleton(Validator);
        services.TryAddSingleton(Transactions);
        services.TryAddSingleton(Proofs);
        services.TryAddSingleton(services => new RequestValidator(
            services.GetRequiredService<AccessTokenValidator>(), services.GetRequiredService<ProofValidator>())
        {
            RequiresCertificate = services.GetRequiredService<IOptions<PosternOptions>>().Value.RequireCertificate,
        });
        services.TryAddTransient<PosternHandler>();
        services.AddAuthentication(authentication =>
        {
            authentication.DefaultScheme ??= SchemeName;
            authentication.AddScheme<PosternHandler>(SchemeName, displayName: null);
        });
        services.AddAuthorization();
        services.AddOptions<AuthorizationOptions>().PostConfigure<IOptions<PosternOptions>>(CloseUndeclared);
        return services;
    }

    /// <summary>
    /// Serves the metadata of the resource (RFC 9728 §3) to everyone, at the path its challenges name.
    /// </summary>
    public static IEndpointConventionBuilder MapResourceMetadata(this IEndpointRouteBuilder routes)
    {
        var metadata = routes.ServiceProvider.GetRequiredService<IOptions<PosternOptions>>().Value.Metadata;
        var path = Uri.UnescapeDataString(new Uri(ResourceMetadata.UrlOf(metadata.Resource)).AbsolutePath);
        var answer = metadata.ToHttp();
        return routes
            .MapMethods(path.Replace("{", "{{").Replace("}", "}}"), ["GET", "OPTIONS"], answer.ExecuteAsync)
            .AllowAnonymous();
    }

    /// <summary>
    /// Opens the endpoint to tokens that have all of these scopes. Others are told by 403 <c>insufficient_scope</c>
    /// which scopes to ask for (RFC 6750 §3.1). Said twice, for a group and an endpoint, both hold.
    /// </summary>
    /// <exception cref="ArgumentException">There is no scope, or one is not in the grammar of RFC 6749
    /// §3.3.</exception>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, params string[] scopes)
        where TBuilder : IEndpointConventionBuilder
    {
        var requirement = new ScopeRequirement(scopes);
        var policy = new AuthorizationPolicyBuilder(AnyToken).AddRequirements(requirement).Build();
        return builder.RequireAuthorization(policy).WithMetadata(requirement);
    }

    /// <summary>
    /// Opens the endpoint to tokens whose person has signed in like this. Others are told by 401
    /// <c>insufficient_user_authentication</c> what is missing, so that the client can have them sign in again (RFC
    /// 9470 §3). Said twice, for a group and an endpoint, both hold.
    /// </summary>
    /// <param name="maxAge">How long ago it may have been; null for no matter.</param>
    /// <param name="acrValues">Any of these is strong enough; none for no matter.</param>
    /// <exception cref="ArgumentException">Nothing is demanded, or what can never be met or said.</exception>
    public static TBuilder RequireSignIn<TBuilder>(
        this TBuilder builder, TimeSpan? maxAge = null, params string[] acrValues)
        where TBuilder : IEndpointConventionBuilder
    {
        var requirement = new SignInRequirement(new(acrValues, maxAge));
        var policy = new AuthorizationPolicyBuilder(AnyToken).AddRequirements(requirement).Build();
        return builder.RequireAuthorization(policy).WithMetadata(requirement);
    }

    extension(HttpContext http)
    {
        /// <summary>
        /// The valid token of this request; null when there is none. Route handlers can take it as a parameter.
        /// </summary>
        public AccessToken? AccessToken => http.Features.Get<AccessToken>();
    }

    private static void CloseUndeclared(AuthorizationOptions authorization, IOptions<PosternOptions> options)
    {
        if (!options.Value.LeaveUndeclaredEndpointsOpen)
        {
            authorization.FallbackPolicy ??= AnyToken;
        }
    }

    // A key of this process: nonces of another are none here, nor are those of one before it.
    private static ProofValidator Proofs(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<PosternOptions>>().Value;
        var clock = services.GetRequiredService<TimeProvider>();
        var nonces = new ProofNonces(RandomNumberGenerator.GetBytes(32), clock);
        return new(clock, nonces, options.RememberedProofs)
        {
            Window = options.ProofWindow,
            RequiresNonce = options.RequireDpopNonces,
            IsFirstUse = options.IsFirstUseOfProof,
        };
    }

    private static IKeySource Keys(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<PosternOptions>>().Value;
        return options.Keys ?? new RemoteKeys(
            options.Issuer,
            () => services.GetRequiredService<IHttpClientFactory>().CreateClient(SchemeName),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<RemoteKeys>>(),
            options.AllowInsecureHttpForTests);
    }

    private static TransactionTokenValidator Transactions(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<PosternOptions>>().Value;
        return new(
            options.Issuer,
            options.TrustDomain ?? throw new InvalidOperationException("PosternOptions.TrustDomain is not set."),
            services.GetRequiredService<IKeySource>(),
            services.GetRequiredService<TimeProvider>());
    }

    private static IssuerQuestions Questions(IServiceProvider services) => new(
        services.GetRequiredService<IOptions<PosternOptions>>().Value,
        () => services.GetRequiredService<IHttpClientFactory>().CreateClient(SchemeName),
        services.GetRequiredService<TimeProvider>());

    private static RevocationWatch Watch(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<PosternOptions>>().Value;
        return new(
            options.RevocationPatience,
            options.WhenRevocationsAreLate,
            services.GetRequiredService<IssuerQuestions>(),
            services.GetRequiredService<TimeProvider>());
    }

    private static AccessTokenValidator Validator(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<PosternOptions>>().Value;
        var clock = services.GetRequiredService<TimeProvider>();
        var watch = options.FollowRevocations ? services.GetRequiredService<RevocationWatch>() : null;
        return new(options.Issuer, services.GetRequiredService<IKeySource>(), clock, options.CachedTokens)
        {
            ClockSkew = options.ClockSkew,
            AuthorizationDetailTypes = options.AuthorizationDetailTypes.ToHashSet(StringComparer.Ordinal),
            Liveness = options.Liveness,
            References = References(services, options, watch),
            Revocations = watch,
        };
    }

    // One that stands is remembered only while it would be heard that it does so no longer.
    private static Func<string, CancellationToken, ValueTask<byte[]?>>? References(
        IServiceProvider services, PosternOptions options, RevocationWatch? watch)
    {
        if (options.ClientId is null || !options.TakeReferences)
        {
            return null;
        }

        var questions = services.GetRequiredService<IssuerQuestions>();
        return (token, stop) => questions.DereferenceAsync(token, () => watch is { IsCurrent: true }, stop);
    }
}
