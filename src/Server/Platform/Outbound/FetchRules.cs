namespace Postern.Platform.Outbound;

/// <summary>How much one fetch may cost, and what it may bring back.</summary>
internal sealed record FetchRules(int MaxBytes, TimeSpan Within)
{
    /// <summary>A client's metadata document (CIMD): small and quick.</summary>
    public static readonly FetchRules ClientDocument = new(5 * 1024, TimeSpan.FromSeconds(2)) { Accepts = IsJson };

    /// <summary>Keys, metadata and other JSON.</summary>
    public static readonly FetchRules Json = new(256 * 1024, TimeSpan.FromSeconds(3)) { Accepts = IsJson };

    private static readonly TimeSpan Floor = TimeSpan.FromMinutes(1), Ceiling = TimeSpan.FromDays(1);

    public Func<string, bool> Accepts { get; init; } = _ => true;

    /// <summary>That it was answered says all: its body is left there, whatever it is.</summary>
    public bool IsUnread { get; init; }

    /// <summary>It is for somebody whom nobody let in, and takes nothing of what is there for the known.</summary>
    public bool IsForStranger { get; init; }

    /// <summary>
    /// The same for a client that registered itself, or is its document: neither what is there for those an operator
    /// knows, nor what anybody can use up who has no client.
    /// </summary>
    public bool IsForUnvouched { get; init; }

    /// <summary>The <c>Accept</c> header, where the request has none.</summary>
    public string Asks { get; init; } = "application/json";

    private static bool IsJson(string type) =>
        type.StartsWith("application/", StringComparison.Ordinal)
        && (type is "application/json" || type.EndsWith("+json", StringComparison.Ordinal));

    /// <summary>RFC 9111 §4.2, between a floor that stops hammering and a ceiling that lets changes arrive.</summary>
    public static TimeSpan FreshFor(HttpResponseMessage answer, DateTimeOffset now)
    {
        var caching = answer.Headers.CacheControl;
        if (caching is { NoStore: true } or { NoCache: true })
        {
            return Floor;
        }

        var lifetime = caching?.MaxAge ?? answer.Content.Headers.Expires - (answer.Headers.Date ?? now) ?? Floor;
        var fresh = lifetime - (answer.Headers.Age ?? TimeSpan.Zero);
        return fresh < Floor ? Floor : fresh > Ceiling ? Ceiling : fresh;
    }
}
