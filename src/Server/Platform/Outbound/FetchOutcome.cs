using System.Net;
using System.Net.Http.Headers;

namespace Postern.Platform.Outbound;

/// <summary>What came of a fetch. The constructor is private: these three are all there are.</summary>
internal abstract record FetchOutcome
{
    private FetchOutcome()
    {
    }

    /// <summary>What may be told to whoever asked: null for an answer, else a sentence.</summary>
    public abstract string? Sentence { get; }

    /// <param name="FreshFor">How long the answer may be kept, within the bounds of the rules.</param>
    public sealed record Answered(
        HttpStatusCode Status,
        string MediaType,
        ReadOnlyMemory<byte> Body,
        TimeSpan FreshFor,
        HttpResponseHeaders Headers) : FetchOutcome
    {
        public override string? Sentence => null;
    }

    /// <summary>
    /// One sentence for every cause: whether a private address, a closed port or a wrong type stood behind the URL
    /// must not be told apart. <see cref="Reason"/> is for the log.
    /// </summary>
    public sealed record Refused(string Reason) : FetchOutcome
    {
        /// <summary>What the host answered, if it did.</summary>
        public HttpStatusCode? Status { get; init; }

        public override string Sentence =>
            "The URL could not be fetched. It must be public, use https and answer soon, briefly, without redirect.";
    }

    /// <summary>Too much is being asked of that host, or of us.</summary>
    public sealed record Busy(TimeSpan RetryAfter) : FetchOutcome
    {
        public override string Sentence => "That host was asked too often or did not answer. Try again a little later.";
    }
}
