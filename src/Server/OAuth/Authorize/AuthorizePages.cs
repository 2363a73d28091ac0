using Postern.Platform.Pages;

namespace Postern.OAuth.Authorize;

/// <summary>What a person is shown where there is nothing to tell a client, or nobody it may be told to.</summary>
internal static class AuthorizePages
{
    public static PageResult<ErrorPage, ErrorView> Answered => new(new(
        "This question was answered",
        "The app has had its answer, and it is given once.",
        "Go back to the app; if it does not know you, connect again."))
    {
        Status = StatusCodes.Status400BadRequest,
    };

    public static PageResult<ErrorPage, ErrorView> Over => new(new(
        "This request is over",
        "It has waited for more than ten minutes, or it was begun in another browser.",
        "Go back to the app and connect again."))
    {
        Status = StatusCodes.Status400BadRequest,
    };

    public static PageResult<ErrorPage, ErrorView> Shown(OAuthError error) => new(new(
        "This app can't be let in",
        error.Description,
        "Nothing was done. Go back to the app; if it happens again, tell whoever makes it."))
    {
        Status = error.Status is StatusCodes.Status401Unauthorized or StatusCodes.Status413PayloadTooLarge
            ? StatusCodes.Status400BadRequest
            : error.Status,
        RetryAfter = error.RetryAfter,
    };
}
