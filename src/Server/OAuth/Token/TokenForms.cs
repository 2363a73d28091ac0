using Postern.Grants;
using Postern.Servers;

namespace Postern.OAuth.Token;

/// <summary>Makes access tokens in the form and for the time that their server wants.</summary>
internal sealed class TokenForms(
    ServerBook servers, AccessTokenWriter writer, ReferenceTokens references, StatusPlaces statuses)
{
    /// <summary>When a token made now ends: never after its grant.</summary>
    public DateTimeOffset Expires(Tenant tenant, Grant grant, DateTimeOffset now) =>
        AccessTokenWriter.Expires(FormAt(grant).Life ?? tenant.AccessLifetime, grant, now);

    public async ValueTask<string> MakeAsync(TokenContent content)
    {
        var form = FormAt(content.Grant);
        if (form.HasStatus)
        {
            var place = await statuses.TakeAsync(content.Grant, content.Id, content.ExpiresAt);
            content = content with { Status = place };
        }

        return form.IsOpaque
            ? await references.MakeAsync(content.Tenant.Id, AccessTokenWriter.Claims(content), content.ExpiresAt)
            : writer.Write(content);
    }

    private TokenForm FormAt(Grant grant) =>
        servers.ByResource(grant.Tenant, grant.Resource)?.Token ?? TokenForm.Usual;
}
