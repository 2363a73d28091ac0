namespace Postern.AspNetCore.Revocations;

/// <summary>What becomes of valid tokens while it is not known what ended lately.</summary>
public enum LateRevocations
{
    /// <summary>The issuer is asked about each (RFC 7662); when it does not answer, they are refused.</summary>
    Introspect,

    /// <summary>They are refused, with 503.</summary>
    Refuse,
}
