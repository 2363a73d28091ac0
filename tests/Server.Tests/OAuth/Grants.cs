using Postern.Grants;
using Postern.Identity.Users;

namespace Postern.Tests.OAuth;

/// <summary>Looks at what a person has let in, in the server's own book.</summary>
internal static class Grants
{
    public static async Task<List<Grant>> OfAsync(TestServer server, string email)
    {
        var user = await server.Get<UserStore>().FindByEmailAsync(TenantId.Default, email, default);
        var uses = await server.Get<GrantBook>().OfSubjectAsync(TenantId.Default, user!.Id, default);
        return [.. uses.Select(use => use.Grant)];
    }
}
