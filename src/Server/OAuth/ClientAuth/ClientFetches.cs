using Postern.Platform.Outbound;

namespace Postern.OAuth.ClientAuth;

/// <summary>
/// On whose account something is fetched for a client, or it is told something. Whoever is their own document, or
/// registered themselves, names there what they like.
/// </summary>
internal static class ClientFetches
{
    public static FetchRules For(this FetchRules rules, Client client) => client switch
    {
        { IsVouchedFor: true } => rules,
        // Until a person lets it in.
        { Source: ClientSource.Document, FirstSeen: null } => rules with { IsForStranger = true },
        _ => rules with { IsForUnvouched = true },
    };
}
