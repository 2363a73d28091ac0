using Microsoft.AspNetCore.Components;

namespace Postern.Platform.Pages;

/// <summary>
/// Part of a page. Addresses of ours are written with <see cref="At"/>, so that they stay in the tenant.
/// </summary>
public abstract class Placed : ComponentBase
{
    /// <summary>The tenant whose page it is.</summary>
    [CascadingParameter]
    public Tenant Tenant { get; set; } = null!;

    protected string At(string path) => Tenant.Local(path);
}
