namespace Postern.Platform.Pages;

/// <summary>
/// After a form: look there now (303, RFC 9110 §15.4.4). The answer is never a form's own page, so that reloading does
/// nothing twice, and never 307, which would send a password on.
/// </summary>
internal sealed class SeeOther(string path) : IResult
{
    public Task ExecuteAsync(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = path;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        return Task.CompletedTask;
    }
}
