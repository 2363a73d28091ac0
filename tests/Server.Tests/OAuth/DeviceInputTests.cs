using System.Net;
using System.Text.Json;
using Postern.Approvals;

namespace Postern.Tests.OAuth;

/// <summary>Every parameter of a device in every wrong form (RFC 8628).</summary>
public sealed class DeviceInputTests(DeviceInputTests.Shop shop) : IClassFixture<DeviceInputTests.Shop>
{
    private const string Long = "long", Twice = "twice";

    private readonly TestServer server = shop.Server;
    private readonly Gadget tv = Gadget.Tv(shop.Server);

    public static TheoryData<string, string?, string> WrongRequests => new()
    {
        { "client_id", null, "invalid_client" },
        { "client_id", "", "invalid_client" },
        { "client_id", "nobody", "invalid_client" },
        { "client_id", "web", "invalid_client" },
        { "client_id", "native", "unauthorized_client" },
        { "client_id", Twice, "invalid_request" },
        { "client_id", Long, "invalid_request" },
        { "client_secret", App.WebSecret, "invalid_client" },
        { "client_secret", Twice, "invalid_request" },
        { "scope", "admin", "invalid_scope" },
        { "scope", "offline_access", "invalid_scope" },
        { "scope", "mcp:read  mcp:write", "invalid_scope" },
        { "scope", "mcp:\"read\"", "invalid_scope" },
        { "scope", Twice, "invalid_request" },
        { "scope", Long, "invalid_request" },
        { "resource", null, "invalid_target" },
        { "resource", "", "invalid_target" },
        { "resource", "relative/path", "invalid_target" },
        { "resource", "https://elsewhere.example/mcp", "invalid_target" },
        { "resource", Twice, "invalid_target" },
        { "resource", Long, "invalid_request" },
        { "authorization_details", "[]", "invalid_authorization_details" },
        { "authorization_details", """[{"type":"unknown"}]""", "invalid_authorization_details" },
    };

    [Theory, MemberData(nameof(WrongRequests)), Rfc(8628, "3.1"), Rfc(8707, "2"), Rfc(6749, "5.2")]
    public async Task A_wrong_request_is_refused_and_puts_no_question(string parameter, string? value, string error)
    {
        var before = await Gadget.WaitingAsync(server);

        Gadget.Refused(await tv.AskAsync(Wrong(parameter, value, "tv")), error);
        Assert.Equal(before, await Gadget.WaitingAsync(server));
    }

    public static TheoryData<string, string?, string> WrongPolls => new()
    {
        { "device_code", null, "invalid_request" },
        { "device_code", "", "invalid_request" },
        { "device_code", Twice, "invalid_request" },
        { "device_code", Long, "invalid_request" },
        { "device_code", "x", "invalid_grant" },
        { "device_code", "pdc_", "invalid_grant" },
        { "device_code", $"pdc_{new string('0', 32)}.{new string('A', 43)}", "invalid_grant" },
        { "device_code", "CODE ", "invalid_grant" },
        { "device_code", "CODE=", "invalid_grant" },
        { "device_code", "UPPER", "invalid_grant" },
        { "device_code", "PART", "invalid_grant" },
        { "client_id", null, "invalid_client" },
        { "client_id", "nobody", "invalid_client" },
        { "client_id", "native", "unauthorized_client" },
        { "client_id", "radio", "invalid_client" },
        { "grant_type", null, "invalid_request" },
        { "grant_type", Twice, "invalid_request" },
        { "grant_type", "device_code", "unsupported_grant_type" },
        { "grant_type", "authorization_code", "unauthorized_client" },
        { "grant_type", "refresh_token", "invalid_request" },
        { "scope", "mcp:read mcp:destroy", "invalid_scope" },
        { "scope", "mcp:\"read\"", "invalid_scope" },
        { "resource", "https://elsewhere.example/mcp", "invalid_target" },
        { "resource", "#", "invalid_target" },
        { "authorization_details", "[]", "invalid_authorization_details" },
    };

    [Theory, MemberData(nameof(WrongPolls)), Rfc(8628, "3.4"), Rfc(6749, "5.2")]
    public async Task A_wrong_poll_is_refused_and_the_code_is_still_good(string parameter, string? value, string error)
    {
        var code = await tv.AnsweredAsync(shop.Ada);
        value = value switch
        {
            "UPPER" => code.ToUpperInvariant(),
            "PART" => code[..^1],
            _ => value?.Replace("CODE", code, StringComparison.Ordinal),
        };

        Gadget.Refused(await tv.PollAsync(code, Wrong(parameter, value, code)), error);
        Assert.Equal(HttpStatusCode.OK, (await tv.PollAsync(code)).Status);
    }

    [Fact, Rfc(8628, "3.1"), Rfc(8628, "3.2"), Rfc(6749, "3.1")]
    public async Task What_is_empty_counts_as_left_out_and_what_is_unknown_as_nothing()
    {
        var empty = await tv.AskAsync(("scope", ""), ("authorization_details", ""), ("client_secret", ""));
        var unknown = await tv.AskAsync(("unheard_of", "x"), ("redirect_uri", "https://evil.example/cb"));

        Assert.All([empty, unknown], reply =>
        {
            Assert.Equal(HttpStatusCode.OK, reply.Status);
            // Each member once.
            using var strict = JsonDocument.Parse(reply.Text, new() { AllowDuplicateProperties = false });
            Assert.Equal(6, strict.RootElement.EnumerateObject().Count());
        });
    }

    [Theory, Rfc(8628, "6.1")]
    [InlineData("bcdf-ghjk")]
    [InlineData(" b c d f g h j k ")]
    [InlineData("BCDFGHJK")]
    public void A_code_is_read_as_people_type_it(string typed) => Assert.Equal("BCDFGHJK", UserCode.Read(typed));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("BCDF-GHJ")]
    [InlineData("BCDF-GHJKL")]
    [InlineData("BCDF-GHJA")]
    [InlineData("BCDF/GHJK")]
    [InlineData("ＢCDF-GHJK")]
    [InlineData("B-C-D-F-G-H-J-K--------------------------------")]
    public void What_can_be_no_code_is_none(string? typed) => Assert.Null(UserCode.Read(typed));

    private static (string Name, string? Value)[] Wrong(string parameter, string? value, string right) => value switch
    {
        Twice => [(parameter, right), (parameter, right)],
        Long => [(parameter, new string('x', 17_000))],
        _ => [(parameter, value)],
    };

    /// <summary>A server with devices, and a person who has signed in.</summary>
    public sealed class Shop : IAsyncLifetime
    {
        internal TestServer Server { get; private set; } = null!;

        internal Person Ada { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Server = await TestServer.StartAsync(Gadget.Town);
            Ada = new(Server);
            await Ada.SignInAsync();
        }

        public async ValueTask DisposeAsync()
        {
            Ada.Dispose();
            await Server.DisposeAsync();
        }
    }
}
