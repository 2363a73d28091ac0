using System.Text;
using Postern.Grants;
using Postern.Platform.Database;
using Postern.Servers;

namespace Postern.OAuth.Token;

/// <summary>Makes access tokens in the form and for the time that their server wants.</summary>
internal sealed class TokenForms(
    ServerBook servers, AccessTokenWriter writer, ReferenceTokens references, StatusPlaces statuses)
{
    /// <summary>When a token made now ends: never after its grant.</summary>
    public DateTimeOffset Expires(Tenant tenant, Grant grant, DateTimeOffset now)
    {
        var expires = now + (FormAt(grant).Life ?? tenant.AccessLifetime);
        return expires < grant.ExpiresAt ? expires : grant.ExpiresAt;
    }

    /// <summary>A token that refers to what it says, where such are wanted; it is none before it is kept.</summary>
    public string? NewReference(Grant grant) => FormAt(grant).IsOpaque ? references.New(grant.Tenant) : null;

    /// <summary>Whether a token leaves something in the database.</summary>
    public bool AreKept(Grant grant) => FormAt(grant) is { IsOpaque: true } or { HasStatus: true };

    /// <summary>Writes what a token leaves in the database; answers what it says with that.</summary>
    public async ValueTask<TokenContent> KeepAsync(Unit unit, TokenContent content)
    {
        if (FormAt(content.Grant).HasStatus)
        {
            var place = await statuses.TakeAsync(unit, content.Grant, content.Id, content.Ancestors, content.ExpiresAt);
            content = content with { Status = place };
        }

        if (content.Reference is { } reference)
        {
            var claims = AccessTokenWriter.Claims(content);
            await references.KeepAsync(unit, content.Tenant.Id, reference, claims, content.ExpiresAt);
        }

        return content;
    }

    /// <summary>The token as it is sent, in ASCII, when what it leaves is durable.</summary>
    public byte[] Write(in TokenContent content) =>
        content.Reference is { } reference ? Encoding.ASCII.GetBytes(reference) : writer.Write(content);

    private TokenForm FormAt(Grant grant) =>
        servers.ByResource(grant.Tenant, grant.Resource)?.Token ?? TokenForm.Usual;
}
