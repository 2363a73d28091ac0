namespace Postern.Approvals;

/// <summary>What the plan of the house needs to know of this room.</summary>
internal static class ApprovalsRoom
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<AskStore>();
        services.AddSingleton<AskBook>();
        services.AddSingleton<AskDesk>();
        services.AddSingleton<AskCodes>();
        services.AddSingleton<Pings>();
        services.AddSingleton<PollPace>();
    }
}
