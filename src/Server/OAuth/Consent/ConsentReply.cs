namespace Postern.OAuth.Consent;

/// <summary>What a person sent back with the page.</summary>
internal abstract record ConsentReply
{
    private ConsentReply()
    {
    }

    public sealed record Yes(Agreed Agreed, DateTimeOffset Until) : ConsentReply;

    public sealed record No : ConsentReply;

    /// <summary>A yes to nothing, or for a time that was not offered.</summary>
    public sealed record Unclear : ConsentReply
    {
        public const string Problem = "Nothing is left to allow. Turn something on, or deny.";
    }
}
