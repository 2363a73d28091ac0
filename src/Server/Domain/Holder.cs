using System.Buffers.Text;
using System.Text.Json;

namespace Postern.Domain;

/// <summary>
/// What tokens are bound to (RFC 7800), a key or a certificate: whoever presents one of them proves to hold it, or is
/// nobody.
/// </summary>
public sealed record Holder
{
    private const int Sha256 = 43;
    private const string Key = "jkt", Certificate = "x5t#S256";

    private Holder(string member, string thumbprint) => (Member, Thumbprint) = (member, thumbprint);

    /// <summary>The member of <c>cnf</c> that names it, which says how it is proven.</summary>
    public string Member { get; }

    public string Thumbprint { get; }

    /// <summary>It signs proofs (RFC 9449); else it is shown on the connection (RFC 8705).</summary>
    public bool IsKey => Member is Key;

    /// <summary>How its tokens are presented (RFC 9449 §5, RFC 8705 §3).</summary>
    public string TokenType => IsKey ? "DPoP" : "Bearer";

    /// <summary>A key that signs DPoP proofs, by its thumbprint (RFC 9449 §6.1).</summary>
    public static Holder OfKey(string thumbprint) => new(Key, thumbprint);

    /// <summary>A certificate shown on connections, by its thumbprint (RFC 8705 §3.1).</summary>
    public static Holder OfCertificate(string thumbprint) => new(Certificate, thumbprint);

    /// <summary>Whether a text can be a thumbprint: SHA-256 in base64url, in its one spelling.</summary>
    public static bool IsThumbprint(string text) =>
        text.Length is Sha256 && Base64Url.IsValid(text)
        && Base64Url.EncodeToString(Base64Url.DecodeFromChars(text)) == text;

    /// <summary>Writes it as what a token is bound to (RFC 7800 §3.1); nothing for one that is not.</summary>
    public static void Write(Utf8JsonWriter json, Holder? holder)
    {
        if (holder is not null)
        {
            json.WriteStartObject("cnf"u8);
            json.WriteString(holder.Member, holder.Thumbprint);
            json.WriteEndObject();
        }
    }

    /// <summary>As it is stored: what it is and which.</summary>
    public override string ToString() => $"{Member}:{Thumbprint}";
}
