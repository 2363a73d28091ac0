using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Postern.Tests.Gateway;

/// <summary>Shows a test each request that comes to the server, before anything is done about it.</summary>
internal sealed class Arrivals : IStartupFilter
{
    public Action<HttpContext> Notice { get; set; } = _ => { };

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((http, go) =>
        {
            Notice(http);
            return go(http);
        });
        next(app);
    };
}
