namespace Postern.OAuth.Consent;

/// <summary>What a person said, after they said it: the one who asked waits elsewhere.</summary>
public sealed record AnsweredView(bool IsYes, bool IsDevice);
