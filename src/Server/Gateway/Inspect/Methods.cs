namespace Postern.Gateway.Inspect;

/// <summary>
/// The methods of the protocol, and what the revisions say about them. What is not listed is not served.
/// </summary>
internal static class Methods
{
    public const string Initialize = "initialize";
    public const string Initialized = "notifications/initialized";
    public const string Cancelled = "notifications/cancelled";
    public const string Progress = "notifications/progress";
    public const string RootsChanged = "notifications/roots/list_changed";
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
    public const string Complete = "completion/complete";
    public const string Subscribe = "resources/subscribe";
    public const string Unsubscribe = "resources/unsubscribe";
    public const string TasksGet = "tasks/get";
    public const string TasksUpdate = "tasks/update";
    public const string TasksResult = "tasks/result";
    public const string TasksCancel = "tasks/cancel";

    /// <summary>The constant for a method's name in UTF-8: the hot path makes no string.</summary>
    public static string? Known(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("tools/call"u8))
        {
            return ToolsCall;
        }

        return name.SequenceEqual("tools/list"u8) ? ToolsList : null;
    }

    /// <summary>
    /// What a client of an era may ask for. A method of a vendor's own may do anything, and is not judged as reading.
    /// The list of tasks is left out: it would name those of others.
    /// </summary>
    public static bool IsServed(string method, Era era) => method switch
    {
        ToolsCall or ToolsList or PromptsList or PromptsGet or ResourcesList or TemplatesList or ResourcesRead
            or Complete or TasksGet or TasksCancel => true,
        Discover or Listen or TasksUpdate => era is Era.Modern,
        Initialize or Ping or SetLevel or Subscribe or Unsubscribe or TasksResult => era is Era.Legacy,
        _ => false,
    };

    /// <summary>What a client may tell a server of the older revisions of its own accord.</summary>
    public static bool IsTold(string method) => method is Cancelled or Progress or RootsChanged;

    public static bool IsOfTask(string method) => method is TasksGet or TasksUpdate or TasksResult or TasksCancel;

    /// <summary>The result says how long and for whom it may be kept (SEP-2549).</summary>
    public static bool IsCacheable(string method) =>
        method is Discover or ToolsList or PromptsList or ResourcesList or TemplatesList or ResourcesRead;

    /// <summary>The server may answer with questions to the client (SEP-2322).</summary>
    public static bool MayAskBack(string method) => method is ToolsCall or PromptsGet or ResourcesRead;
}
