using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Postern.AspNetCore.Revocations;

namespace Postern.AspNetCore.Tests.Revocations;

/// <summary>Grants that are off are refused until all that are off have been named without them.</summary>
public sealed class OffGrantTests
{
    [Fact]
    public void Each_counts_as_soon_as_it_is_named_and_until_it_is_left_out()
    {
        var off = new OffGrants(10);
        off.Add("a");
        Assert.True(off.Has("a"));
        off.Settle(1);
        Assert.True(off.Has("a"));
        off.Add("b");
        Assert.True(off.Has("a"));
        off.Settle(1);
        Assert.False(off.Has("a"));
        Assert.True(off.Has("b"));
        Assert.True(off.IsComplete);
    }

    [Fact]
    public void A_stream_that_broke_while_they_were_named_lets_nobody_in()
    {
        var off = new OffGrants(10);
        off.Add("a");
        off.Settle(1);
        off.Add("b");
        off.Begin();

        Assert.True(off.Has("a"));
        Assert.True(off.Has("b"));
        off.Add("b");
        off.Settle(1);
        Assert.False(off.Has("a"));
        Assert.True(off.Has("b"));
    }

    [Fact]
    public void What_finds_no_room_or_was_lost_on_the_way_makes_nothing_certain_until_all_are_named_again()
    {
        var off = new OffGrants(2);
        foreach (var grant in (string[])["a", "b", "c"])
        {
            off.Add(grant);
        }

        Assert.False(off.IsComplete);
        off.Settle(3);
        Assert.False(off.IsComplete);
        off.Begin();
        Assert.False(off.IsComplete);
        off.Add("a");
        off.Settle(2);
        Assert.False(off.IsComplete);
        off.Add("a");
        off.Settle(1);
        Assert.True(off.IsComplete);
    }

    [Fact]
    public void Whatever_is_told_what_is_off_is_refused_or_known_to_be_missing_and_memory_is_bounded() =>
        Prop.ForAll(
            Arb.From(Gen.Choose(0, 29).ArrayOf(200)),
            told =>
            {
                var (off, settled, coming) = (new OffGrants(8), new HashSet<int>(), new HashSet<int>());
                foreach (var what in told)
                {
                    if (what < 20)
                    {
                        off.Add(what.ToString(CultureInfo.InvariantCulture));
                        coming.Add(what);
                    }
                    else if (what < 27)
                    {
                        off.Settle(coming.Count);
                        (settled, coming) = (coming, []);
                    }
                    else
                    {
                        off.Begin();
                        settled.UnionWith(coming);
                        coming = [];
                    }

                    if (off.Count > 16 || (off.IsComplete && !settled.Concat(coming).All(one =>
                        off.Has(one.ToString(CultureInfo.InvariantCulture)))))
                    {
                        return false;
                    }
                }

                return true;
            }).QuickCheckThrowOnFailure();
}
