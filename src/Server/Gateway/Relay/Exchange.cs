namespace Postern.Gateway.Relay;

/// <summary>A call on its way: which line of which server it takes, and where what comes of it goes.</summary>
/// <param name="Call">The call.</param>
/// <param name="Upstream">The way to its server.</param>
/// <param name="Line">The line it takes.</param>
/// <param name="State">What the client was given to bring along, opened; empty when it brought none.</param>
/// <param name="Writer">Where the answer goes.</param>
internal sealed record Exchange(
    Call Call, IUpstream Upstream, Line Line, ReadOnlyMemory<byte> State, AnswerWriter Writer);
