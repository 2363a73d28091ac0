namespace Postern.Identity.Sessions;

/// <summary>Leaves the <see cref="Caller"/> in the request for every room that shows pages.</summary>
internal sealed class SessionMiddleware(RequestDelegate next, SessionBook sessions)
{
    public async Task InvokeAsync(HttpContext http)
    {
        if (await sessions.FindAsync(http, http.RequestAborted) is { } session)
        {
            http.Features.Set(session.Caller);
        }

        await next(http);
    }
}
