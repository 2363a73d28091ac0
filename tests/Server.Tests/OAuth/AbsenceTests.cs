using Postern.OAuth.ClientAuth;

namespace Postern.Tests.OAuth;

/// <summary>How long hosts of documents are away, also where more of them are than there is room to count.</summary>
public sealed class AbsenceTests
{
    private const int Room = 20;

    private readonly FakeClock clock = new();

    [Fact]
    public void Hosts_that_are_gone_for_ever_do_not_make_others_be_believed_for_good()
    {
        var absences = new Absences(Room, clock);
        for (var i = 0; i < Room; i++)
        {
            absences.IsLong($"https://{i}.gone.example/c");
        }

        clock.Advance(TimeSpan.FromDays(3));

        Assert.Equal(7, DaysUntilLong(absences, "https://late.example/c"));
    }

    [Fact]
    public void Who_is_counted_goes_on_being_counted_however_many_are_missed_once()
    {
        var absences = new Absences(Room, clock);
        var strangers = 0;

        var days = DaysUntilLong(absences, "https://early.example/c", () =>
        {
            for (var i = 0; i < Room - 2; i++)
            {
                absences.IsLong($"https://{strangers++}.gone.example/c");
            }
        });

        Assert.Equal(7, days);
    }

    private int DaysUntilLong(Absences absences, string url, Action? daily = null)
    {
        var days = 0;
        while (!absences.IsLong(url) && days < 30)
        {
            daily?.Invoke();
            clock.Advance(TimeSpan.FromDays(1));
            days++;
        }

        return days;
    }
}
