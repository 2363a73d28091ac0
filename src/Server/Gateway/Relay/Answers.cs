namespace Postern.Gateway.Relay;

/// <summary>A client's answers to what a modern server asked back, and that server's own state, both as JSON.</summary>
internal sealed record Answers(string Responses, string? State)
{
    /// <summary>The members they are in the request that is made again.</summary>
    public override string ToString() =>
        $",\"inputResponses\":{Responses}" + (State is null ? "" : $",\"requestState\":{State}");
}
