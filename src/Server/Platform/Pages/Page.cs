using Microsoft.AspNetCore.Components;

namespace Postern.Platform.Pages;

/// <summary>
/// A page shows one view and decides nothing: whatever it says was worked out before it was rendered.
/// </summary>
public abstract class Page<TView> : Placed
    where TView : class
{
    [Parameter, EditorRequired]
    public TView View { get; set; } = null!;
}
