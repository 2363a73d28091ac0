using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Postern.Platform.Tenants;

namespace Postern.Platform.Pages;

/// <summary>
/// Answers with a page, rendered whole on the server and closed to everything it does not need itself.
/// </summary>
internal sealed class PageResult<TPage, TView>(TView view) : IResult
    where TPage : Page<TView>
    where TView : class
{
    public int Status { get; init; } = StatusCodes.Status200OK;

    /// <summary>When it is worth asking again, for a page that says so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Where a form of this page may lead besides ourselves; browsers apply the rule to redirects as well.
    /// </summary>
    public IReadOnlyList<string> FormTargets { get; init; } = [];

    /// <summary>It also has forms that lead to ourselves.</summary>
    public bool HasOwnForms { get; init; } = true;

    public async Task ExecuteAsync(HttpContext http)
    {
        await using var renderer = new HtmlRenderer(
            http.RequestServices, http.RequestServices.GetRequiredService<ILoggerFactory>());
        var html = await renderer.Dispatcher.InvokeAsync(() => RenderAsync(renderer, http.Tenant));

        http.Response.StatusCode = Status;
        if (RetryAfter is { } wait)
        {
            http.Response.Headers.RetryAfter = $"{Math.Ceiling(wait.TotalSeconds)}";
        }

        http.Response.ContentType = "text/html; charset=utf-8";
        PageHeaders.Set(http.Response.Headers, HasOwnForms ? ["'self'", .. FormTargets] : FormTargets);
        await http.Response.WriteAsync(html, http.RequestAborted);
    }

    private async Task<string> RenderAsync(HtmlRenderer renderer, Tenant tenant)
    {
        var page = await renderer.RenderComponentAsync<CascadingValue<Tenant>>(ParameterView.FromDictionary(
            new Dictionary<string, object?>
            {
                [nameof(CascadingValue<>.Value)] = tenant,
                [nameof(CascadingValue<>.IsFixed)] = true,
                [nameof(CascadingValue<>.ChildContent)] = (RenderFragment)(builder =>
                {
                    builder.OpenComponent(0, typeof(TPage));
                    builder.AddComponentParameter(1, nameof(Page<>.View), view);
                    builder.CloseComponent();
                }),
            }));
        return page.ToHtmlString();
    }
}
