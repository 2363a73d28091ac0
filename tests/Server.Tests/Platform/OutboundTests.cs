using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Platform;
using Postern.Platform.Outbound;

namespace Postern.Tests.Platform;

/// <summary>Here 127.0.0.1 plays the allowed address and 127.0.0.2 the internal one that must stay untouched.</summary>
public sealed class OutboundTests
{
    private const string JsonHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json";

    private static readonly FetchRules Quick = FetchRules.Json with { Within = TimeSpan.FromMilliseconds(400) };
    private static readonly FetchRules Reply = new(64 * 1024, TimeSpan.FromSeconds(3)) { Asks = "*/*" };

    [Fact]
    public async Task A_document_is_fetched_from_an_allowed_address()
    {
        await using var peer = OutboundPeer.Saying(
            JsonHead + "; charset=utf-8\r\nCache-Control: max-age=600", "{\"a\":1}");
        using var http = Client();

        var outcome = await http.GetAsync(peer.At("/doc"), FetchRules.Json, default);

        var document = Assert.IsType<FetchOutcome.Answered>(outcome);
        Assert.Equal("{\"a\":1}", Encoding.UTF8.GetString(document.Body.Span));
        Assert.Equal("application/json", document.MediaType);
        Assert.Equal(TimeSpan.FromMinutes(10), document.FreshFor);
    }

    [Theory]
    [InlineData("max-age=5", 60)]
    [InlineData("max-age=999999999", 86400)]
    [InlineData("no-store, max-age=600", 60)]
    [InlineData("max-age=600\r\nAge: 500", 100)]
    public async Task Freshness_has_a_floor_and_a_ceiling(string caching, int seconds)
    {
        await using var peer = OutboundPeer.Saying($"{JsonHead}\r\nCache-Control: {caching}", "{}");
        using var http = Client();

        var outcome = await http.GetAsync(peer.At("/"), FetchRules.Json, default);

        var document = Assert.IsType<FetchOutcome.Answered>(outcome);
        Assert.Equal(TimeSpan.FromSeconds(seconds), document.FreshFor);
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("100.64.0.1")]
    [InlineData("100.100.100.200")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("168.63.129.16")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.8")]
    [InlineData("192.0.2.1")]
    [InlineData("192.88.99.1")]
    [InlineData("192.168.0.1")]
    [InlineData("198.18.0.1")]
    [InlineData("198.51.100.1")]
    [InlineData("203.0.113.1")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.255")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::7f00:1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::a00:1")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("100::1")]
    [InlineData("2001::1")]
    [InlineData("2001:2::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("3fff::1")]
    [InlineData("5f00::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public async Task A_name_that_resolves_to_a_special_address_is_refused(string address)
    {
        Assert.True(AddressRules.IsSpecial(IPAddress.Parse(address)));
        using var http = Client(allow: [], resolve: Answering(address));

        var outcome = await http.GetAsync("https://agent.example/", Quick, default);

        Assert.Contains("not open to fetches", Assert.IsType<FetchOutcome.Refused>(outcome).Reason);
    }

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("172.32.0.1")]
    [InlineData("100.128.0.1")]
    [InlineData("2606:4700::1111")]
    [InlineData("2a00:1450:4001::1")]
    public void A_public_address_is_open_to_https_alone(string text)
    {
        var (rules, address) = (new AddressRules([]), IPAddress.Parse(text));

        Assert.True(rules.PermitsStranger(address, 443, isEncrypted: true));
        Assert.False(rules.PermitsStranger(address, 443, isEncrypted: false));
        Assert.False(rules.PermitsStranger(address, 8443, isEncrypted: true));
        Assert.False(rules.PermitsStranger(address, 22, isEncrypted: true));
    }

    [Theory]
    [InlineData("https://2130706433/")]
    [InlineData("https://017700000001/")]
    [InlineData("https://0x7f000001/")]
    [InlineData("https://0x7f.1/")]
    [InlineData("https://0177.0.0.1/")]
    [InlineData("https://127.1/")]
    [InlineData("https://127.0.1/")]
    [InlineData("https://127.0.0.1./")]
    [InlineData("https://127.000.000.001/")]
    [InlineData("https://localhost./")]
    [InlineData("https://agent.example./")]
    [InlineData("https://agent..example/")]
    [InlineData("https://agent.0x7f/")]
    [InlineData("https://256.256.256.256/")]
    [InlineData("https://%31%32%37.0.0.1/")]
    [InlineData("https://\uff11\uff12\uff17.0.0.1/")]
    [InlineData("https://b\u00fccher.example/")]
    [InlineData("https://agent\u3002example/")]
    [InlineData("https://[::ffff:127.0.0.1%25eth0]/")]
    [InlineData("https://[fe80::1%25lo]/")]
    [InlineData("https://[fe80::1%lo]/")]
    [InlineData("https://[0:0:0:0:0:0:0:1]/")]
    [InlineData("https://user@agent.example/")]
    [InlineData("https://@agent.example/")]
    [InlineData("https://agent.example:443@127.0.0.1/")]
    [InlineData("https://agent.example/#part")]
    [InlineData("https://agent.example\\@127.0.0.1/")]
    [InlineData("https:\\\\agent.example/")]
    [InlineData("https:///agent.example/")]
    [InlineData("https:agent.example")]
    [InlineData("https://agent.example:0443/")]
    [InlineData("https://agent.example:99999/")]
    [InlineData("https://agent.example/\r\nX: 1")]
    [InlineData(" https://agent.example/")]
    [InlineData("//agent.example/")]
    [InlineData("/relative")]
    [InlineData("")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://agent.example/")]
    [InlineData("gopher://agent.example/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:application/json,{}")]
    public async Task A_url_in_an_odd_spelling_is_refused_before_it_is_looked_up(string url)
    {
        var lookups = 0;
        using var http = Client(resolve: (_, _) =>
        {
            lookups++;
            return Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
        });

        var outcome = await http.GetAsync(url, Quick, default);

        Assert.Equal("the URL is not plain", Assert.IsType<FetchOutcome.Refused>(outcome).Reason);
        Assert.Equal(0, lookups);
    }

    [Theory]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://169.254.169.254/latest/meta-data/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[::ffff:7f00:1]/")]
    [InlineData("https://[::ffff:127.0.0.1]/")]
    [InlineData("https://[64:ff9b::a00:1]/")]
    public async Task A_special_address_written_out_is_refused(string url)
    {
        using var http = Client(allow: []);

        Assert.IsType<FetchOutcome.Refused>(await http.GetAsync(url, Quick, default));
    }

    [Theory]
    [InlineData("https://agent.example/")]
    [InlineData("https://AGENT.example/a?b=c")]
    [InlineData("https://xn--bcher-kva.example:443/client.json")]
    [InlineData("http://127.0.0.1:9001/mcp")]
    [InlineData("http://my_server:9001/mcp")]
    public void A_plain_url_is_accepted(string url) => Assert.True(OutboundUrl.TryParse(url, out _));

    [Fact]
    public async Task One_private_address_among_public_ones_refuses_the_name()
    {
        await using var peer = OutboundPeer.Saying(JsonHead, "{}");
        using var http = Client(resolve: Answering("127.0.0.1", "127.0.0.2"));

        var outcome = await http.GetAsync(peer.At("/", "mixed.example"), Quick, default);

        Assert.IsType<FetchOutcome.Refused>(outcome);
        Assert.Equal(0, peer.Connections);
    }

    [Fact]
    public async Task A_name_that_changes_its_address_is_looked_up_once_and_vetted_every_time()
    {
        await using var peer = OutboundPeer.Saying(JsonHead, "{}");
        await using var sink = OutboundPeer.Saying(JsonHead, "{\"secret\":1}", "127.0.0.2", peer.Port);
        var lookups = 0;
        using var http = Client(resolve: (_, _) =>
        {
            var address = Interlocked.Increment(ref lookups) is 1 ? "127.0.0.1" : "127.0.0.2";
            return Task.FromResult<IPAddress[]>([IPAddress.Parse(address)]);
        });

        var first = await http.GetAsync(peer.At("/", "rebind.example"), FetchRules.Json, default);
        var lookupsOfTheFirst = lookups;
        var second = await http.GetAsync(peer.At("/", "rebind.example"), FetchRules.Json, default);

        Assert.IsType<FetchOutcome.Answered>(first);
        Assert.Equal(1, lookupsOfTheFirst);
        Assert.IsType<FetchOutcome.Refused>(second);
        Assert.Equal(0, sink.Connections);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_an_error_and_its_target_stays_untouched(int status)
    {
        await using var sink = OutboundPeer.Saying(JsonHead, "{}");
        await using var peer = OutboundPeer.Saying(
            $"HTTP/1.1 {status} Elsewhere\r\nContent-Type: application/json\r\nLocation: {sink.At("/")}", "{}");
        using var http = Client();

        Assert.IsType<FetchOutcome.Refused>(await http.GetAsync(peer.At("/"), FetchRules.Json, default));
        using var post = new HttpRequestMessage(HttpMethod.Post, peer.At("/"));
        Assert.IsType<FetchOutcome.Refused>(await http.SendAsync(post, Reply, default));

        Assert.Equal(2, peer.Requests);
        Assert.Equal(0, sink.Connections);
    }

    [Fact]
    public async Task A_body_over_the_cap_is_refused_whether_announced_or_not()
    {
        var rules = FetchRules.ClientDocument;
        await using var announced = OutboundPeer.Saying(JsonHead, new string(' ', rules.MaxBytes + 1));
        await using var unannounced = new OutboundPeer(async (_, stream, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(JsonHead + "\r\nConnection: close\r\n\r\n"), stop);
            while (true)
            {
                await stream.WriteAsync(new byte[8192], stop);
            }
        });
        await using var fitting = OutboundPeer.Saying(JsonHead, new string(' ', rules.MaxBytes));
        using var http = Client();

        Assert.Contains("bytes", await ReasonAsync(http, announced, rules));
        Assert.Contains("bytes", await ReasonAsync(http, unannounced, rules));
        Assert.IsType<FetchOutcome.Answered>(await http.GetAsync(fitting.At("/"), rules, default));
    }

    [Fact]
    public async Task A_body_that_drips_does_not_stretch_the_time()
    {
        await using var peer = new OutboundPeer(async (_, stream, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(JsonHead + "\r\n\r\n"), stop);
            while (true)
            {
                await stream.WriteAsync("["u8.ToArray(), stop);
                await Task.Delay(20, stop);
            }
        });
        using var http = Client(clock: TimeProvider.System);
        var began = TimeProvider.System.GetTimestamp();

        Assert.Equal("out of time", await ReasonAsync(http, peer, Quick));
        Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Headers_without_end_are_refused()
    {
        await using var peer = new OutboundPeer(async (_, stream, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(JsonHead + "\r\n"), stop);
            while (true)
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"X-Filler: {new string('x', 4000)}\r\n"), stop);
            }
        });
        using var http = Client();

        Assert.Contains("headers length", await ReasonAsync(http, peer, FetchRules.Json), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_compressed_body_is_refused_unopened()
    {
        using var bomb = new MemoryStream();
        await using (var gzip = new GZipStream(bomb, CompressionLevel.Optimal, leaveOpen: true))
        {
            await gzip.WriteAsync(new byte[1_000_000]);
        }

        string? head = null;
        await using var peer = new OutboundPeer(async (request, stream, stop) =>
        {
            head = request;
            await stream.WriteAsync(
                Encoding.ASCII.GetBytes($"{JsonHead}\r\nContent-Encoding: gzip\r\n\r\n"), stop);
            await stream.WriteAsync(bomb.ToArray(), stop);
        });
        using var http = Client();

        Assert.Equal("the body is encoded", await ReasonAsync(http, peer, FetchRules.Json));
        Assert.DoesNotContain("Accept-Encoding", head, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("200 OK", "text/html")]
    [InlineData("200 OK", "application/jsonp")]
    [InlineData("404 Not Found", "application/json")]
    [InlineData("201 Created", "application/json")]
    public async Task A_document_of_another_type_or_status_is_refused(string status, string type)
    {
        await using var peer = OutboundPeer.Saying($"HTTP/1.1 {status}\r\nContent-Type: {type}", "{}");
        using var http = Client();

        Assert.IsType<FetchOutcome.Refused>(await http.GetAsync(peer.At("/"), FetchRules.Json, default));
    }

    [Fact]
    public async Task The_answer_to_something_sent_keeps_its_status()
    {
        await using var peer = OutboundPeer.Saying("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain", "no");
        using var http = Client();
        using var post = new HttpRequestMessage(HttpMethod.Post, peer.At("/")) { Content = new StringContent("a=b") };

        var answer = Assert.IsType<FetchOutcome.Answered>(await http.SendAsync(post, Reply, default));

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    [Fact]
    public async Task Every_refusal_reads_the_same()
    {
        await using var wrongType = OutboundPeer.Saying("HTTP/1.1 200 OK\r\nContent-Type: text/html", "hello");
        var closed = wrongType.Port is 1 ? 2 : 1;
        using var http = Client();

        string?[] sentences =
        [
            (await http.GetAsync(wrongType.At("/"), Quick, default)).Sentence,
            (await http.GetAsync($"http://127.0.0.1:{closed}/", Quick, default)).Sentence,
            (await http.GetAsync("https://10.0.0.1/", Quick, default)).Sentence,
            (await http.GetAsync("https://127.1/", Quick, default)).Sentence,
        ];

        Assert.Single(sentences.Distinct());
        Assert.NotNull(sentences[0]);
    }

    [Fact]
    public async Task No_cookie_is_kept_and_no_trace_is_told()
    {
        var heads = new List<string>();
        await using var peer = new OutboundPeer(async (head, stream, stop) =>
        {
            heads.Add(head);
            await OutboundPeer.WriteAsync(stream, JsonHead + "\r\nSet-Cookie: a=b; Path=/", "{}", stop);
        });
        using var http = Client();

        await http.GetAsync(peer.At("/"), FetchRules.Json, default);
        await http.GetAsync(peer.At("/"), FetchRules.Json, default);

        Assert.Equal(2, heads.Count);
        Assert.DoesNotContain("Cookie", heads[1]);
        Assert.DoesNotContain("traceparent", heads[1]);
    }

    [Fact]
    public async Task A_proxy_in_the_environment_is_not_used()
    {
        var test = $"{typeof(OutboundTests).FullName}.{nameof(A_document_is_fetched_from_an_allowed_address)}";
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["-method", test]) { RedirectStandardOutput = true };
        start.Environment["http_proxy"] = start.Environment["all_proxy"] = "http://127.0.0.1:1";

        using var child = Process.Start(start)!;
        var output = await child.StandardOutput.ReadToEndAsync();
        await child.WaitForExitAsync();

        Assert.Contains("Total: 1", output);
        Assert.Equal(0, child.ExitCode);
    }

    [Fact]
    public async Task Equal_fetches_under_way_reach_the_host_once()
    {
        var go = new TaskCompletionSource();
        await using var peer = new OutboundPeer(async (_, stream, stop) =>
        {
            await go.Task.WaitAsync(stop);
            await OutboundPeer.WriteAsync(stream, JsonHead, "{}", stop);
        });
        using var http = Client();

        var impatient = new CancellationTokenSource();
        var first = http.GetAsync(peer.At("/same"), FetchRules.Json, impatient.Token);
        var others = Enumerable.Range(0, 50)
            .Select(_ => http.GetAsync(peer.At("/same"), FetchRules.Json, default))
            .ToArray();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        go.SetResult();

        Assert.All(await Task.WhenAll(others), outcome => Assert.IsType<FetchOutcome.Answered>(outcome));
        Assert.Equal(1, peer.Requests);
    }

    [Fact]
    public async Task A_thousand_paths_on_one_host_are_at_most_its_budget()
    {
        await using var peer = OutboundPeer.Saying(JsonHead, "{}");
        using var http = Client(clock: new StoppedClock());

        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 1000).Select(i => http.GetAsync(peer.At($"/{i}"), FetchRules.Json, default)));

        Assert.Equal(new OutboundOptions().HostBurst, outcomes.OfType<FetchOutcome.Answered>().Count());
        Assert.Equal(new OutboundOptions().HostBurst, peer.Requests);
        Assert.All(outcomes.OfType<FetchOutcome.Busy>(), busy => Assert.InRange(busy.RetryAfter.TotalSeconds, 0.01, 1));
    }

    [Fact]
    public async Task Strangers_whose_host_hangs_leave_room_for_the_known()
    {
        var options = new OutboundOptions();
        await using var hangs = new OutboundPeer((_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        await using var peer = OutboundPeer.Saying(JsonHead, "{}");
        using var http = Client(resolve: Answering("127.0.0.1"));
        var under = Enumerable.Range(0, 400)
            .Select(i => http.GetForStrangerAsync(
                hangs.At("/", $"h{i}.example"), FetchRules.ClientDocument, $"10.0.{i}.0/24", default))
            .ToArray();

        var stranger = await http.GetForStrangerAsync(peer.At("/"), FetchRules.Json, "10.2.0.0/24", default);
        var known = await http.GetAsync(peer.At("/"), FetchRules.Json, default);

        Assert.Equal(options.MaxStrangersFetches, under.Count(fetch => !fetch.IsCompleted));
        Assert.IsType<FetchOutcome.Busy>(stranger);
        Assert.IsType<FetchOutcome.Answered>(known);
    }

    [Fact]
    public async Task One_network_has_few_fetches_under_way()
    {
        var options = new OutboundOptions();
        await using var hangs = new OutboundPeer((_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        await using var peer = OutboundPeer.Saying(JsonHead, "{}");
        using var http = Client(resolve: Answering("127.0.0.1"));
        var under = Enumerable.Range(0, 400)
            .Select(i => http.GetForStrangerAsync(
                hangs.At("/", $"h{i}.example"), FetchRules.ClientDocument, "10.0.0.0/24", default))
            .ToArray();

        var other = await http.GetForStrangerAsync(peer.At("/"), FetchRules.Json, "10.2.0.0/24", default);

        Assert.Equal(options.NetworkBurst, under.Count(fetch => !fetch.IsCompleted));
        Assert.IsType<FetchOutcome.Answered>(other);
    }

    [Fact]
    public async Task A_closed_port_that_a_stranger_names_does_not_close_the_host()
    {
        await using var peer = OutboundPeer.Saying(JsonHead, "{}");
        using var http = Client();
        for (var i = 0; i < HostBudgets.MaxFailures; i++)
        {
            await http.GetForStrangerAsync($"http://127.0.0.1:1/{i}", FetchRules.Json, "10.0.0.0/24", default);
        }

        Assert.IsType<FetchOutcome.Answered>(
            await http.GetForStrangerAsync(peer.At("/"), FetchRules.Json, "10.2.0.0/24", default));
    }

    [Fact]
    public void Many_hosts_do_not_grow_the_table_without_end()
    {
        var clock = new StoppedClock();
        var budgets = new HostBudgets(clock, burst: 2, perSecond: 1);
        for (var i = 0; i < HostBudgets.MaxHosts; i++)
        {
            Assert.Null(budgets.MustWait($"h{i}.example"));
        }

        Assert.Null(budgets.MustWait("late1.example"));
        Assert.Null(budgets.MustWait("late2.example"));
        Assert.NotNull(budgets.MustWait("late3.example"));
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(budgets.MustWait("late3.example"));
        Assert.Null(budgets.MustWait("late4.example"));
        Assert.Null(budgets.MustWait("late5.example"));
    }

    [Fact]
    public async Task A_host_that_fails_in_a_row_is_left_alone_for_a_while()
    {
        const string Down = "https://down.example/";
        var clock = new StoppedClock();
        var lookups = 0;
        using var http = Client(clock: clock, resolve: (_, _) =>
        {
            lookups++;
            throw new SocketException((int)SocketError.HostNotFound);
        });

        for (var i = 0; i < HostBudgets.MaxFailures; i++)
        {
            Assert.IsType<FetchOutcome.Refused>(await http.GetAsync(Down, FetchRules.Json, default));
        }

        var rest = Assert.IsType<FetchOutcome.Busy>(await http.GetAsync(Down, FetchRules.Json, default));
        Assert.Equal(HostBudgets.Rest, rest.RetryAfter);
        Assert.Equal(HostBudgets.MaxFailures, lookups);

        clock.Advance(HostBudgets.Rest);
        Assert.IsType<FetchOutcome.Refused>(await http.GetAsync(Down, FetchRules.Json, default));
        Assert.IsType<FetchOutcome.Busy>(await http.GetAsync(Down, FetchRules.Json, default));
    }

    [Fact]
    public async Task A_bad_path_does_not_close_its_host()
    {
        await using var peer = new OutboundPeer((head, stream, stop) => OutboundPeer.WriteAsync(
            stream, head.Contains("/good", StringComparison.Ordinal) ? JsonHead : "HTTP/1.1 500 Oops", "{}", stop));
        using var http = Client();

        for (var i = 0; i < HostBudgets.MaxFailures + 1; i++)
        {
            await http.GetAsync(peer.At("/bad"), FetchRules.Json, default);
        }

        Assert.IsType<FetchOutcome.Answered>(await http.GetAsync(peer.At("/good"), FetchRules.Json, default));
    }

    [Theory]
    [InlineData("agent.test", 0, true)]
    [InlineData("other.test", 0, false)] // the certificate names another host
    [InlineData("agent.test", -2, false)] // and has expired
    public async Task An_authority_of_the_operator_is_trusted_for_name_and_dates(string host, int days, bool isAnswered)
    {
        var (authority, certificate) = Certificates(TimeProvider.System.GetUtcNow().AddDays(days));
        await using var peer = new OutboundPeer(
            (_, stream, stop) => OutboundPeer.WriteAsync(stream, JsonHead, "{}", stop), certificate: certificate);
        using var http = Client(resolve: Answering("127.0.0.1"), trust: [authority]);

        var outcome = await http.GetAsync(peer.At("/", host, "https"), FetchRules.Json, default);

        Assert.Equal(isAnswered, outcome is FetchOutcome.Answered);
    }

    [Fact]
    public async Task A_certificate_of_an_unknown_authority_is_refused()
    {
        var (_, certificate) = Certificates(TimeProvider.System.GetUtcNow());
        var (stranger, _) = Certificates(TimeProvider.System.GetUtcNow());
        await using var peer = new OutboundPeer(
            (_, stream, stop) => OutboundPeer.WriteAsync(stream, JsonHead, "{}", stop), certificate: certificate);
        using var http = Client(resolve: Answering("127.0.0.1"), trust: [stranger]);

        var outcome = await http.GetAsync(peer.At("/", "agent.test", "https"), FetchRules.Json, default);

        Assert.IsType<FetchOutcome.Refused>(outcome);
        Assert.Equal(0, peer.Requests);
    }

    [Fact]
    public async Task A_named_upstream_may_live_at_home_on_its_own_host_and_port_alone()
    {
        await using var peer = OutboundPeer.Saying(JsonHead, "{}");
        await using var other = OutboundPeer.Saying(JsonHead, "{}");
        using var http = Client(allow: []);
        using var named = http.ToUpstream(new(peer.At("/mcp")), isNamed: true, TimeSpan.FromSeconds(5));
        using var unnamed = http.ToUpstream(new(peer.At("/mcp")), isNamed: false, TimeSpan.FromSeconds(5));

        using var answer = await named.SendAsync(new(HttpMethod.Get, peer.At("/mcp")), default);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(
            () => named.SendAsync(new(HttpMethod.Get, other.At("/mcp")), default));
        await Assert.ThrowsAsync<HttpRequestException>(
            () => unnamed.SendAsync(new(HttpMethod.Get, peer.At("/mcp")), default));
        Assert.Equal(0, other.Connections);
    }

    [Fact]
    public async Task A_named_upstream_whose_name_turns_to_the_metadata_address_is_refused()
    {
        using var http = Client(allow: [], resolve: Answering("169.254.169.254"));
        using var upstream = http.ToUpstream(new("http://crm.example/mcp"), isNamed: true, TimeSpan.FromSeconds(1));

        var problem = await Assert.ThrowsAsync<HttpRequestException>(
            () => upstream.SendAsync(new(HttpMethod.Get, "http://crm.example/mcp"), default));

        Assert.IsType<AddressRefusedException>(problem.GetBaseException());
    }

    [Fact]
    public async Task An_upstream_stream_outlasts_the_time_its_headers_had()
    {
        var go = new TaskCompletionSource();
        await using var peer = new OutboundPeer(async (head, stream, stop) =>
        {
            if (head.StartsWith("GET /silent", StringComparison.Ordinal))
            {
                await Task.Delay(Timeout.Infinite, stop);
            }

            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"u8.ToArray(), stop);
            await go.Task.WaitAsync(stop);
            await stream.WriteAsync("data: late\n\n"u8.ToArray(), stop);
        });
        using var http = Client(clock: TimeProvider.System);
        using var upstream = http.ToUpstream(new(peer.At("/")), isNamed: true, TimeSpan.FromSeconds(3));
        using var answer = await upstream.SendAsync(new(HttpMethod.Get, peer.At("/stream")), default);

        await Assert.ThrowsAsync<TimeoutException>(
            () => upstream.SendAsync(new(HttpMethod.Get, peer.At("/silent")), default));
        go.SetResult();

        Assert.Equal("data: late\n\n", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public void A_file_of_authorities_that_holds_none_stops_the_start()
    {
        var file = Path.GetTempFileName();

        Assert.Contains(file, Assert.Throws<SetupException>(() => OutboundOptions.AuthoritiesIn(file)).Message);
        File.Delete(file);
        Assert.Contains(file, Assert.Throws<SetupException>(() => OutboundOptions.AuthoritiesIn(file)).Message);
    }

    private static async Task<string> ReasonAsync(SafeHttp http, OutboundPeer peer, FetchRules rules) =>
        Assert.IsType<FetchOutcome.Refused>(await http.GetAsync(peer.At("/"), rules, default)).Reason;

    private static SafeHttp Client(
        string[]? allow = null,
        ResolveHost? resolve = null,
        TimeProvider? clock = null,
        X509Certificate2Collection? trust = null) =>
        new(
            new()
            {
                Allow = [.. (allow ?? ["127.0.0.1/32"]).Select(text => IPNetwork.Parse(text))],
                Trust = trust ?? [],
            },
            clock ?? new StoppedClock(),
            NullLogger<SafeHttp>.Instance,
            resolve);

    private static ResolveHost Answering(params string[] addresses) =>
        (_, _) => Task.FromResult(addresses.Select(IPAddress.Parse).ToArray());

    private static (X509Certificate2 Authority, X509Certificate2 Server) Certificates(DateTimeOffset from)
    {
        using var root = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Test authority {from.Ticks}", root, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var authority = request.CreateSelfSigned(from.AddDays(-3), from.AddDays(3));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var leaf = new CertificateRequest("CN=agent.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("agent.test");
        leaf.CertificateExtensions.Add(names.Build());
        using var signed = leaf.Create(authority, from.AddDays(-1), from.AddDays(1), RandomNumberGenerator.GetBytes(8));
        using var whole = signed.CopyWithPrivateKey(key);
        return (
            X509CertificateLoader.LoadCertificate(authority.RawData),
            X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null));
    }

    /// <summary>Stands still until moved; timers never fire, so no deadline hits a machine that is slow.</summary>
    private sealed class StoppedClock : TimeProvider
    {
        private DateTimeOffset now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => now += by;

        public override DateTimeOffset GetUtcNow() => now;

        public override long GetTimestamp() => now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
