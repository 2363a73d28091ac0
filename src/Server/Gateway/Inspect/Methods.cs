namespace Postern.Gateway.Inspect;

/// <summary>The methods the gateway treats specially, and what the revisions say about them.</summary>
internal static class Methods
{
    public const string Initialize = "initialize";
    public const string Initialized = "notifications/initialized";
    public const string Cancelled = "notifications/cancelled";
    public const string Progress = "notifications/progress";
    public const string LogMessage = "notifications/message";
    public const string Acknowledged = "notifications/subscriptions/acknowledged";
    public const string ToolsChanged = "notifications/tools/list_changed";
    public const string Ping = "ping";
    public const string SetLevel = "logging/setLevel";
    public const string Discover = "server/discover";
    public const string Listen = "subscriptions/listen";
    public const string ToolsList = "tools/list";
    public const string ToolsCall = "tools/call";
    public const string PromptsList = "prompts/list";
    public const string PromptsGet = "prompts/get";
    public const string ResourcesList = "resources/list";
    public const string TemplatesList = "resources/templates/list";
    public const string ResourcesRead = "resources/read";

    /// <summary>The constant for a method's name in UTF-8: the hot path makes no string.</summary>
    public static string? Known(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("tools/call"u8))
        {
            return ToolsCall;
        }

        return name.SequenceEqual("tools/list"u8) ? ToolsList : null;
    }

    /// <summary>Part of the older revisions, and removed from the modern one.</summary>
    public static bool IsRemoved(string method) => method is Initialize or Ping or SetLevel
        or "resources/subscribe" or "resources/unsubscribe" or "notifications/roots/list_changed"
        or "tasks/result" or "tasks/list" or Initialized;

    /// <summary>The result says how long and for whom it may be kept (SEP-2549).</summary>
    public static bool IsCacheable(string method) =>
        method is Discover or ToolsList or PromptsList or ResourcesList or TemplatesList or ResourcesRead;

    /// <summary>The server may answer with questions to the client (SEP-2322).</summary>
    public static bool MayAskBack(string method) => method is ToolsCall or PromptsGet or ResourcesRead;
}
