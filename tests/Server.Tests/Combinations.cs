namespace Postern.Tests;

/// <summary>
/// What the authorization server serves, as far as it can be combined, and what cannot meet. Two of these have a test,
/// or a reason here.
/// </summary>
internal static class Combinations
{
    public const string
        SharedSecret = "secret", PrivateKey = "private_key_jwt", Tls = "tls_client_auth", OwnTls = "self-signed tls",
        Attested = "attestation", Spiffe = "SPIFFE", None = "none";

    public const string Dpop = "DPoP", Certificate = "certificate";

    public const string
        Pushed = "PAR", Signed = "JAR", Rich = "RAR", SignedAnswer = "JARM", Posted = "form_post",
        StepUp = "step-up";

    public const string
        Code = "code", Own = "client credentials", Device = "device", Backchannel = "CIBA", Deferred = "deferred",
        Assertion = "assertion", Workload = "workload", Refresh = "refresh", Exchange = "exchange",
        IdJag = "ID-JAG issued", Transaction = "transaction token";

    public const string
        Below = "tenant", OnHost = "tenant's host", Opaque = "opaque", BoundServer = "bound server",
        Fapi = "FAPI 2.0", Pairwise = "pairwise";

    public static readonly string[]
        Methods = [SharedSecret, PrivateKey, Tls, OwnTls, Attested, Spiffe, None],
        Bounds = [Dpop, Certificate],
        Requests = [Pushed, Signed, Rich, SignedAnswer, Posted, StepUp],
        Sources = [Code, Own, Device, Backchannel, Deferred, Assertion, Workload],
        Ways = [.. Sources, Refresh, Exchange, IdJag, Transaction],
        Neighbours = [Below, OnHost],
        Places = [.. Neighbours, Opaque, BoundServer, Fapi, Pairwise];

    public static readonly string[] All = [.. Methods, .. Bounds, .. Requests, .. Ways, .. Places];

    private static readonly string[] Browser = [Pushed, Signed, SignedAnswer, Posted];

    // The first that fits is the reason.
    private static readonly (string[] One, string[] Other, string Why)[] CannotMeet =
    [
        (Methods, Methods, "A client proves itself in one way."),
        ([Workload], Methods, "The platform's assertion is proof and grant at once; there is no client beside it."),
        ([Workload], [Fapi, Pairwise], "There is no registered client that could be held to it."),
        ([Workload], [Certificate],
            "Nothing is registered of a workload that would bind its tokens to a certificate; a key binds them."),
        ([None], [Own, Backchannel, Deferred, Assertion, Exchange, IdJag, Transaction],
            "It is for clients that prove themselves."),
        ([Fapi], [SharedSecret, Attested, Spiffe, None], "The profile wants a key or a certificate (§5.3.2.1)."),
        (Neighbours, Neighbours, "A request is at one place."),
        (Neighbours, [Fapi, Spiffe],
            "Clients of the configuration alone, which are the root tenant's. A tenant's register themselves, are "
            + "their metadata documents, or are agents with keys; none of these can say so of itself."),
        (Neighbours, [Deferred, Assertion, Workload, IdJag],
            "Who is asked, whose word counts and who takes ours is said in the configuration, which is the root "
            + "tenant's."),
        (Neighbours, [Transaction],
            "The trust domain and its resource servers' clients are named in the configuration, which is the root "
            + "tenant's: inside a domain there is one issuer."),
        (Browser, [Own, Device, Deferred, Assertion, Workload],
            "No authorization request passes through a browser."),
        ([Pushed, SignedAnswer, Posted], [Backchannel],
            "The request goes from server to server, and its answer is fetched."),
        ([StepUp], [Own, Workload], "Nobody signs in."),
        ([StepUp], [Device, Deferred],
            "Their requests have no word for it; a server's own demand (`require`) is met at /authorize."),
        ([StepUp], [Assertion], "The person signs in elsewhere; when, is taken from `auth_time`."),
        ([Pairwise], [Own], "There is no person."),
        ([Refresh], [Own, Assertion, Exchange, Transaction, Workload],
            "No refresh token is given: its holder comes again with what it has."),
        ([IdJag], [Own, Assertion, Exchange, Transaction, Workload],
            "It says who a person is, by what a client was given when that person let it in."),
        (Sources, Sources, "Two ways to a token are two tokens."),
    ];

    /// <summary>Why two cannot meet; null when they can.</summary>
    public static string? WhyNot(string one, string other) => CannotMeet.FirstOrDefault(rule =>
        (rule.One.Contains(one) && rule.Other.Contains(other))
        || (rule.One.Contains(other) && rule.Other.Contains(one)))
        .Why;

    /// <summary>Each two, once.</summary>
    public static IEnumerable<(string One, string Other)> Pairs(IReadOnlyList<string> features) =>
        from one in features.Index()
        from other in features.Skip(one.Index + 1)
        select (one.Item, other);
}
