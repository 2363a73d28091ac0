namespace Postern.Identity.Sessions;

/// <summary>Leaves the <see cref="Caller"/> in the request for every room that shows pages.</summary>
internal sealed class SessionMiddleware(RequestDelegate next, SessionBook sessions)
{
    // Programs bring no cookie, and what brings none is not waited for.
    public Task InvokeAsync(HttpContext http) =>
        http.Request.Headers.Cookie.Count is 0 ? next(http) : WithCallerAsync(http);

    private async Task WithCallerAsync(HttpContext http)
    {
        if (await sessions.FindAsync(http, http.RequestAborted) is { } session)
        {
            http.Features.Set(session.Caller);
        }

        await next(http);
    }
}
