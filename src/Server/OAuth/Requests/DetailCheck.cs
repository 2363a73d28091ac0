using Postern.Servers;

namespace Postern.OAuth.Requests;

/// <summary>
/// The authorization details of a request (RFC 9396 §5): understood to the last member, and about the server that is
/// asked for, or refused. What was left out of them would make a wider grant than was asked for.
/// </summary>
internal static class DetailCheck
{
    public static OAuthError? Refusal(string? text, McpServer server)
    {
        if (text is null)
        {
            return null;
        }

        if (Details.Parse(text) is not { } details)
        {
            return Invalid(
                $"Each is an object of one of the types {string.Join(", ", Details.Types)}, exactly as described.");
        }

        return details.All.All(detail => detail.Actions is null
            || detail.Limits["locations"] is Limit.Texts { Values: [var place] } && place == server.Resource.Value)
            ? NotKept(details, server)
            : Invalid("locations is a list of the one resource that is asked for.");
    }

    // Every call goes through us, so nobody else could keep it; and nobody may believe that it is kept when it is not.
    private static OAuthError? NotKept(Details details, McpServer server) => details.All
        .Select(detail => server.Declares.Missing(detail) is { } missing
            ? Invalid($"A {detail.Type} detail like this cannot be kept at this server. Whoever operates it must first "
                + $"declare, of a tool to which it applies, {missing}.")
            : null)
        .FirstOrDefault(refusal => refusal is not null);

    /// <summary>For a request that is about no server: there is nothing that they could be about.</summary>
    public static OAuthError? Misplaced(string? text) =>
        text is null ? null : Invalid("Details go with a server's resource.");

    /// <summary>Details that passed, in their one spelling.</summary>
    public static string? Plain(string? text) => text is null ? null : Details.Parse(text)!.ToString();

    public static OAuthError Invalid(string description) => new("invalid_authorization_details", description);
}
