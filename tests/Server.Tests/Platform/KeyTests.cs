using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Postern.Platform;
using Postern.Platform.Keys;

namespace Postern.Tests.Platform;

/// <summary>The keys: what is sealed stays sealed, what signs is published, and no key is lost or shown.</summary>
public sealed class KeyTests
{
    private static readonly byte[] Plain = "a value worth keeping"u8.ToArray();

    private static readonly TenantId Home = TenantId.Default;

    private static readonly RandomNumberGenerator Random = RandomNumberGenerator.Create();

    [Fact]
    public void What_is_sealed_opens_for_its_purpose_and_context_alone()
    {
        var sealer = new Sealer(Key("aaaaaaaa"), Random);
        var text = sealer.Seal(Home, "code", Plain, "browser"u8);

        Assert.Equal(Plain, sealer.Open(Home, "code", text, "browser"u8));
        Assert.Null(sealer.Open(Home, "form", text, "browser"u8));
        Assert.Null(sealer.Open(Home, "code", text, "another"u8));
        Assert.Null(sealer.Open(Home, "code", text));
        Assert.NotEqual(text, sealer.Seal(Home, "code", Plain, "browser"u8));
        Assert.Null(new Sealer(Key("aaaaaaaa"), Random).Open(Home, "code", text, "browser"u8));
    }

    [Fact]
    public void What_is_sealed_at_one_tenant_opens_at_no_other()
    {
        var sealer = new Sealer(Key("aaaaaaaa"), Random);
        var (one, two) = (new TenantId("tn_1"), new TenantId("tn_2"));
        foreach (var (here, there) in new[] { (one, two), (one, Home), (Home, one) })
        {
            var (text, mac) = (sealer.Seal(here, "code", Plain), sealer.Mac(here, "refresh", Plain));

            Assert.Equal(Plain, sealer.Open(here, "code", text));
            Assert.Null(sealer.Open(there, "code", text));
            Assert.True(sealer.IsMac(here, "refresh", Plain, mac));
            Assert.False(sealer.IsMac(there, "refresh", Plain, mac));
            Assert.NotEqual(mac, sealer.Mac(there, "refresh", Plain));
        }
    }

    [Fact]
    public void Every_flipped_bit_is_noticed_and_so_is_every_missing_byte()
    {
        var sealer = new Sealer(Key("aaaaaaaa"), Random);
        var bytes = sealer.SealBytes(Home, "code", Plain);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var altered = (byte[])bytes.Clone();
            altered[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(sealer.OpenBytes(Home, "code", altered));
        }

        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Null(sealer.OpenBytes(Home, "code", bytes.AsSpan(0, length)));
        }

        Assert.Null(sealer.OpenBytes(Home, "code", [.. bytes, 0]));
    }

    [Fact]
    public void One_value_has_one_spelling()
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var sealer = new Sealer(Key("aaaaaaaa"), Random);
        for (var size = 0; size < 3; size++)
        {
            var text = sealer.Seal(Home, "code", Plain.AsSpan(size));
            var others = alphabet.Select(last => text[..^1] + last).Where(other => other != text)
                .Concat([text + "=", text + "==", text + "A", " " + text, text + "\n", text.Insert(5, " ")])
                .Append(text.Replace('-', '+').Replace('_', '/') + "=");

            Assert.All(others, other => Assert.Null(sealer.Open(Home, "code", other)));
            Assert.NotNull(sealer.Open(Home, "code", text));
        }

        Assert.Null(sealer.Open(Home, "code", ""));
        Assert.Null(sealer.Open(Home, "code", new string('A', 40_000)));
    }

    [Fact]
    public void During_a_rotation_the_old_key_opens_and_the_new_one_seals()
    {
        var (old, next) = (Line("aaaaaaaa"), Line("bbbbbbbb"));
        var before = new Sealer(MasterKey.Load(old, "", Random), Random);
        var both = new Sealer(MasterKey.Load($"{next}\n{old}", "", Random), Random);
        var after = new Sealer(MasterKey.Load(next, "", Random), Random);
        var kept = before.Seal(Home, "code", Plain);
        var mac = before.Mac(Home, "refresh", Plain);

        Assert.Equal(Plain, both.Open(Home, "code", kept));
        Assert.True(both.IsMac(Home, "refresh", Plain, mac));
        Assert.Equal(Plain, after.Open(Home, "code", both.Seal(Home, "code", Plain)));
        Assert.Null(after.Open(Home, "code", kept));
        Assert.False(after.IsMac(Home, "refresh", Plain, mac));
    }

    [Fact]
    public void A_key_file_is_made_for_its_owner_alone_and_an_open_one_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory("postern-").FullName;
        var made = MasterKey.Load(null, folder, Random);
        var file = Path.Combine(folder, "master.key");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(made.CurrentId, MasterKey.Load(null, folder, Random).CurrentId);
        UnixFileMode[] open =
            [UnixFileMode.GroupRead, UnixFileMode.OtherRead, UnixFileMode.OtherWrite, UnixFileMode.UserExecute];
        foreach (var mode in open)
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | mode);
            Assert.Contains(
                "chmod 600",
                Assert.Throws<SetupException>(() => MasterKey.Load(null, folder, Random)).Message,
                StringComparison.Ordinal);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_first_start_that_was_cut_off_leaves_no_half_key()
    {
        var folder = Directory.CreateTempSubdirectory("postern-").FullName;
        File.WriteAllText(Path.Combine(folder, "master.key.new"), "aaaa");

        var made = MasterKey.Load(null, folder, Random);

        Assert.Equal(made.CurrentId, MasterKey.Load(null, folder, Random).CurrentId);
        Assert.Equal([Path.Combine(folder, "master.key")], Directory.GetFiles(folder));
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("short:AAAA")]
    [InlineData("aaaaaaaa")]
    [InlineData("aaaaaaaa:AAAA")]
    [InlineData("aaaaaaaa:not base64 at all")]
    [InlineData(" \n ")]
    public void What_is_no_key_is_refused_and_not_repeated(string text)
    {
        var refused = Assert.Throws<SetupException>(() => MasterKey.Load(text, "", Random));

        Assert.Contains("POSTERN_MASTER_KEY", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("AAAA", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_name_for_two_keys_is_refused() =>
        Assert.Throws<SetupException>(() => MasterKey.Load($"{Line("aaaaaaaa")}\n{Line("aaaaaaaa")}", "", Random));

    [Theory, OnBoth]
    public async Task A_database_of_another_key_is_refused_with_its_name(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        var id = server.Get<MasterKey>().CurrentId;
        var other = Key("bbbbbbbb");
        var twin = Key(id);

        var wrong = await Assert.ThrowsAsync<SetupException>(
            () => other.ProveAsync(server.Db, new(other, Random), server.Clock));
        var same = await Assert.ThrowsAsync<SetupException>(
            () => twin.ProveAsync(server.Db, new(twin, Random), server.Clock));

        Assert.Contains(id, wrong.Message, StringComparison.Ordinal);
        Assert.Contains("bbbbbbbb", wrong.Message, StringComparison.Ordinal);
        Assert.Contains(id, same.Message, StringComparison.Ordinal);
    }

    [Fact, Rfc(7517, "5")]
    public async Task The_key_set_shows_public_halves_only()
    {
        await using var server = await TestServer.StartAsync(App.Town);

        var keys = JsonElement.Parse(await server.Http.GetStringAsync(new Uri("/jwks", UriKind.Relative)));

        foreach (var key in keys.GetProperty("keys").EnumerateArray())
        {
            var members = key.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal);
            Assert.Equal(["alg", "crv", "kid", "kty", "use", "x", "y"], members);
        }
    }

    [Theory, OnBoth]
    public async Task A_key_is_published_a_day_before_it_signs_and_old_tokens_stay_good(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        var (keys, bench, watch) = (server.Get<SigningKeys>(), App.Bench(server), App.Watch(server));
        var first = keys.Current(Home).Id;
        Assert.Single(keys.Published(Home));

        server.Clock.Advance(SigningKeys.Term - SigningKeys.Lead);
        await keys.RefreshAsync(default);
        var ahead = Assert.Single(keys.Published(Home), key => key.Id != first);
        Assert.Equal(first, keys.Current(Home).Id);

        server.Clock.Advance(SigningKeys.Lead - TimeSpan.FromMinutes(1));
        var old = await bench.AsItselfAsync();
        Assert.Equal(first, KidOf(old));
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        var young = await bench.AsItselfAsync();

        Assert.Equal(ahead.Id, KidOf(young));
        Assert.True(await watch.IsAliveAsync(old.AccessToken));
        Assert.True(await watch.IsAliveAsync(young.AccessToken));
        server.Clock.Advance(SigningKeys.Tail);
        await keys.RefreshAsync(default);
        Assert.DoesNotContain(keys.Published(Home), key => key.Id == first);
    }

    [Fact]
    public async Task A_lost_key_is_replaced_at_once_and_what_it_signed_is_worth_nothing()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        var (bench, watch) = (App.Bench(server), App.Watch(server));
        var forged = await bench.AsItselfAsync();
        Assert.True(await watch.IsAliveAsync(forged.AccessToken));

        await server.Get<SigningKeys>().ReplaceAsync(Home, _ => { }, default);

        Assert.False(await watch.IsAliveAsync(forged.AccessToken));
        var good = await bench.AsItselfAsync();
        Assert.Equal(HttpStatusCode.OK, good.Status);
        Assert.NotEqual(KidOf(forged), KidOf(good));
        Assert.True(await watch.IsAliveAsync(good.AccessToken));
        Assert.DoesNotContain(KidOf(forged), server.Get<SigningKeys>().Json(Home), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_changed_ahead_of_its_time_is_published_first_and_nothing_breaks()
    {
        await using var server = await TestServer.StartAsync(App.Town);
        var (bench, watch, keys) = (App.Bench(server), App.Watch(server), server.Get<SigningKeys>());
        var old = await bench.AsItselfAsync();

        var next = await keys.RotateAsync(Home, _ => { }, default);

        Assert.Equal(KidOf(old), KidOf(await bench.AsItselfAsync()));
        Assert.Contains(next.Id, keys.Json(Home), StringComparison.Ordinal);
        Assert.Equal(next.Id, (await keys.RotateAsync(Home, _ => { }, default)).Id);
        server.Clock.Advance(SigningKeys.Lead - TimeSpan.FromMinutes(1));
        var last = await bench.AsItselfAsync();
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((KidOf(old), next.Id), (KidOf(last), KidOf(await bench.AsItselfAsync())));
        Assert.True(await watch.IsAliveAsync(last.AccessToken));
        server.Clock.Advance(SigningKeys.Tail);
        await keys.RefreshAsync(default);
        Assert.Equal([next.Id], keys.Published(Home).Select(key => key.Id));
    }

    [Theory, OnBoth, Rfc("OpenID Connect Core", "10.1.1")]
    public async Task A_key_for_another_algorithm_is_made_once_when_it_is_needed_and_changes_on_schedule(On on)
    {
        await using var server = await TestServer.StartAsync(App.Town, on);
        await using var node = on is On.Postgres ? await TestServer.StartAsync(App.Town, on, like: server) : null;
        var (keys, others) = (server.Get<SigningKeys>(), (node ?? server).Get<SigningKeys>());
        var es256 = keys.Current(Home).Id;

        var made = await Task.WhenAll(Enumerable.Range(0, 50).Select(at =>
            (at % 2 is 0 ? keys : others).CurrentAsync(Home, SigningKey.Rs256, default).AsTask()));

        var rs256 = Assert.Single(made.Select(key => key.Id).Distinct());
        Assert.Equal(es256, keys.Current(Home).Id);
        Assert.Equal(2, keys.Published(Home).Count);
        server.Clock.Advance(SigningKeys.Term - SigningKeys.Lead);
        await keys.RefreshAsync(default);
        Assert.Equal(4, keys.Published(Home).Count);
        Assert.Equal(rs256, (await keys.CurrentAsync(Home, SigningKey.Rs256, default)).Id);
        server.Clock.Advance(SigningKeys.Lead);
        Assert.NotEqual(rs256, (await keys.CurrentAsync(Home, SigningKey.Rs256, default)).Id);
    }

    private static string KidOf(Reply reply) =>
        JsonElement.Parse(Base64Url.DecodeFromChars(reply.AccessToken.Split('.')[0])).GetProperty("kid").GetString()!;

    private static string Line(string id) => $"{id}:{Base64Url.EncodeToString(Random.Bytes(32))}";

    private static MasterKey Key(string id) => MasterKey.Load(Line(id), "", Random);
}
