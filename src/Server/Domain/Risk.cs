using System.Diagnostics;

namespace Postern.Domain;

/// <summary>What a tool can do to the world. The order is the order of danger.</summary>
public enum Risk
{
    Read,
    Change,
    Destroy,
}

public static class Risks
{
    public static readonly Risk[] All = [Risk.Read, Risk.Change, Risk.Destroy];

    extension(Risk risk)
    {
        /// <summary>The scope that admits tools of this class.</summary>
        public string Scope => risk switch
        {
            Risk.Read => Scopes.Read,
            Risk.Change => Scopes.Write,
            Risk.Destroy => Scopes.Destroy,
            _ => throw new UnreachableException(),
        };

        /// <summary>The word used on pages, in settings and in entries.</summary>
        public string Word => risk switch
        {
            Risk.Read => "read",
            Risk.Change => "change",
            Risk.Destroy => "destroy",
            _ => throw new UnreachableException(),
        };
    }

    public static Risk? Parse(string word) => word switch
    {
        "read" => Risk.Read,
        "change" => Risk.Change,
        "destroy" => Risk.Destroy,
        _ => null,
    };
}
