namespace Postern.Tests.OAuth.Input;

/// <summary>The ways in which a value can be wrong.</summary>
internal enum Wrong
{
    Missing,
    Empty,
    Twice,
    Long,
    Type,
    Encoding,
    OtherClient,
    OtherTenant,
    OtherPurpose,
    Expired,
    Replayed,
}
