using System.Runtime.CompilerServices;
using Postern.AspNetCore.AccessTokens;

namespace Postern.Grants;

/// <summary>
/// A grant as far as one of its tokens reaches: a client may ask for a token of fewer scopes and details than it was
/// granted, and such a token never reaches further than it says (RFC 6749 §6, RFC 9396 §6).
/// </summary>
internal static class TokenReach
{
    // A validator that knows a token gives the same object again, so what it says is read once.
    private static readonly ConditionalWeakTable<AccessToken, Said> Known = [];

    public static Grant Of(Grant grant, AccessToken token)
    {
        var scoped = Scoped(grant, token);
        if (token.AuthorizationDetails is [] && grant is { Tools: null, Details: null })
        {
            return scoped;
        }

        if (!Known.TryGetValue(token, out var said))
        {
            Known.AddOrUpdate(token, said = Read(grant, token));
        }

        return said.IsAll ? scoped : scoped with { Tools = said.Tools, Details = said.Details };
    }

    private static Grant Scoped(Grant grant, AccessToken token)
    {
        foreach (var risk in Risks.All)
        {
            if (grant.Scopes.Has(risk.Scope) && !token.HasScope(risk.Scope))
            {
                return grant with { Scopes = grant.Scopes.Intersect(Scopes.Of(token.Scopes)) };
            }
        }

        return grant;
    }

    // A token that says what its grant does not hold is none that we would have made: it reaches no tool.
    private static Said Read(Grant grant, AccessToken token)
    {
        var text = $"[{string.Join(',', token.AuthorizationDetails.Select(detail => detail.GetRawText()))}]";
        if (text == grant.Told?.ToString())
        {
            return new(true, null, null);
        }

        return Details.Parse(text) is { } details && grant.Within(details) is { } narrowed
            ? new(false, narrowed.Tools, narrowed.Details)
            : new(false, [], null);
    }

    private sealed record Said(bool IsAll, IReadOnlyList<string>? Tools, Details? Details);
}
