using Postern.Identity.Users;

namespace Postern.Api;

/// <summary>What people call the accounts behind subjects, as far as they are known and not forgotten.</summary>
internal sealed class Names(UserStore users)
{
    /// <summary>The e-mail addresses of the people among these; a client that acts as itself has none.</summary>
    public async Task<IReadOnlyDictionary<SubjectId, string>> OfAsync(
        TenantId tenant, IEnumerable<SubjectId> subjects, CancellationToken stop)
    {
        var names = new Dictionary<SubjectId, string>();
        foreach (var subject in subjects.Distinct())
        {
            if (await users.FindAsync(tenant, subject, stop) is { } user)
            {
                names[subject] = user.Email;
            }
        }

        return names;
    }
}
