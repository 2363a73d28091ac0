using System.Buffers.Text;

namespace Postern.Domain;

/// <summary>
/// The key that tokens are bound to (RFC 7800): whoever presents one of them proves to hold it, or is nobody.
/// </summary>
public sealed record Holder
{
    /// <summary>The member of a key that signs DPoP proofs.</summary>
    public const string ProofMember = "jkt";

    private const int Sha256 = 43;

    private Holder(string member, string thumbprint) => (Member, Thumbprint) = (member, thumbprint);

    /// <summary>The member of <c>cnf</c> that names it, which says how it is proven.</summary>
    public string Member { get; }

    public string Thumbprint { get; }

    /// <summary>RFC 9449 §5: how its tokens are presented.</summary>
    public string TokenType => "DPoP";

    /// <summary>A key that signs DPoP proofs, by its thumbprint (RFC 9449 §6.1).</summary>
    public static Holder OfKey(string thumbprint) => new(ProofMember, thumbprint);

    /// <summary>Whether a text can be a thumbprint: SHA-256 in base64url, in its one spelling.</summary>
    public static bool IsThumbprint(string text) =>
        text.Length is Sha256 && Base64Url.IsValid(text)
        && Base64Url.EncodeToString(Base64Url.DecodeFromChars(text)) == text;

    /// <summary>As it is stored: what it is and which.</summary>
    public override string ToString() => $"{Member}:{Thumbprint}";
}
