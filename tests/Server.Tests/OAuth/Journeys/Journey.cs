using static Postern.Tests.Combinations;

namespace Postern.Tests.OAuth.Journeys;

/// <summary>One way through the authorization server with several of its features at once.</summary>
internal sealed record Journey(IReadOnlyList<string> Features)
{
    // What is wanted together more often than in twos.
    private static readonly string[][] Deeper =
    [
        [Pushed, Dpop, Rich, Signed, SignedAnswer], [Pushed, Tls, Certificate, Rich, Signed],
        [Fapi, Tls, Certificate, Pushed, Signed, SignedAnswer], [Fapi, OwnTls, Certificate, Pushed, Refresh],
        [Fapi, PrivateKey, Certificate, Pushed, Rich], [Fapi, PrivateKey, Dpop, Backchannel, Signed, Rich],
        [Fapi, Tls, Certificate, Backchannel, Signed], [Backchannel, Rich, Dpop, Opaque],
        [Backchannel, Rich, Tls, Certificate, Refresh], [Device, Rich, Dpop, Refresh, Opaque],
        [Deferred, Rich, OwnTls, Certificate, Refresh], [Exchange, Rich, Dpop, Opaque],
        [Exchange, Tls, Certificate, Rich], [Exchange, Dpop, BoundServer, Opaque],
        [Assertion, Rich, Dpop, Exchange], [Assertion, Rich, Tls, Certificate, Opaque],
        [Transaction, Rich, Dpop, Exchange], [Pushed, Below, Tls, Certificate, Rich],
        [Pushed, OnHost, OwnTls, Certificate, Refresh], [Pushed, Below, Dpop, Signed, SignedAnswer],
        [Below, Attested, Dpop, Refresh], [OnHost, Attested, Certificate, Device],
        [Below, Backchannel, Dpop, Rich, Exchange], [StepUp, Pushed, Dpop, Refresh],
        [StepUp, Pushed, Tls, Certificate], [Spiffe, Certificate, Backchannel, Rich],
        [Spiffe, Dpop, Exchange, Rich], [Attested, Dpop, Backchannel, Rich, Refresh],
    ];

    /// <summary>One for each two that can meet, and each proof with each grant and each binding.</summary>
    public static IReadOnlyList<Journey> All { get; } =
    [
        .. Pairs(Combinations.All)
            .Where(pair => WhyNot(pair.One, pair.Other) is null && pair is not (Dpop, Certificate))
            .Select(pair => Of(pair.One, pair.Other))
            .Concat(
                from proof in Methods
                from grant in Ways
                from bound in Bounds
                where Fits([proof, grant, bound])
                select Of(proof, grant, bound))
            .Concat(Deeper.Where(Fits).Select(Of))
            .DistinctBy(journey => journey.ToString()),
    ];

    public string? Proof => Features.FirstOrDefault(Methods.Contains);

    public string? Bound => Features.FirstOrDefault(Bounds.Contains);

    /// <summary>The step that brings the first token.</summary>
    public string Source => Features.First(Sources.Contains);

    public bool IsAtTenant => Features.Any(Neighbours.Contains);

    /// <summary>At a tenant these are for agents with keys; nobody registers for them.</summary>
    public bool IsAgents => IsAtTenant && Features.Any(feature => feature is Own or Backchannel or Exchange);

    /// <summary>The server it is about.</summary>
    public string Server => (Has(Opaque), Has(BoundServer), Bound) switch
    {
        (false, true, Certificate) => "shown",
        (true, true, Certificate) => "hiddenshown",
        (false, true, _) => "proven",
        (true, true, _) => "hiddenproven",
        (true, _, _) => "hidden",
        _ => "echo",
    };

    public static Journey Parse(string text) => new(text.Split(" + "));

    public bool Has(string feature) => Features.Contains(feature);

    public override string ToString() => string.Join(" + ", Features);

    // With what a way needs besides, the plainest that fits.
    private static Journey Of(params string[] asked)
    {
        IReadOnlyList<string> features = asked;
        if (!features.Any(Sources.Contains))
        {
            features = With(features, Sources);
        }

        if (features.Any(feature => feature is BoundServer or Fapi) && !features.Any(Bounds.Contains))
        {
            features = With(features, Bounds);
        }

        if (!features.Any(feature => Methods.Contains(feature) || feature is Workload))
        {
            features = With(features, Methods);
        }

        // FAPI-CIBA §5.2.2.
        if (features.Contains(Fapi) && features.Contains(Backchannel) && !features.Contains(Signed))
        {
            features = [.. features, Signed];
        }

        return new([.. Combinations.All.Where(features.Contains)]);
    }

    private static IReadOnlyList<string> With(IReadOnlyList<string> features, string[] choice) =>
        [.. features, choice.First(one => Fits([.. features, one]))];

    private static bool Fits(IReadOnlyList<string> features) =>
        Pairs(features).All(pair => WhyNot(pair.One, pair.Other) is null && pair is not (Dpop, Certificate))
        && (new Journey(features) is not { IsAtTenant: true } here || here switch
        {
            { IsAgents: true } => features.All(one => !Methods.Contains(one) || one is PrivateKey)
                && features.All(one => !Sources.Contains(one) || one is Own or Backchannel)
                && !here.Has(Certificate) && !here.Has(Pairwise) && !(here.Has(Exchange) && here.Has(Own)),
            // By the API a server can be made to want a key.
            _ => !(here.Has(BoundServer) && here.Has(Certificate)),
        });
}
