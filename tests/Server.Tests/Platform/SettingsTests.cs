using Postern.Platform;
using Postern.Platform.Configuration;

namespace Postern.Tests.Platform;

/// <summary>A mistake in the settings stops the start and says where it is and what was expected.</summary>
public sealed class SettingsTests
{
    public static TheoryData<string, string[]> Mistakes => new()
    {
        { "listen: localhost", ["postern.yaml:1:", "`listen` is `localhost`", "expected http(s)://ADDRESS:PORT"] },
        { "\nlisten: https://127.0.0.1:1", ["`listen` is https, which needs `tls.certificate` and `tls.key`"] },
        { "listen: ftp://127.0.0.1:1", ["postern.yaml:1:", "`listen`", "http(s)://ADDRESS:PORT"] },
        { "tls: { client_certificates: allowed }", ["`tls` is for a `listen` that begins with https"] },
        { "tls: { certificate: ./nowhere.pem }", ["`tls.certificate` is `./nowhere.pem`", "a PEM file"] },
        { "tls: { client_certificates: required }", ["`tls.client_certificates` is `required`", "none or allowed"] },
        { "mtls: { authorities: [./nowhere.pem] }", ["`mtls.authorities` holds `./nowhere.pem`", "a PEM file"] },
        { "mtls: { proxies: [everybody] }", ["`mtls.proxies` holds `everybody`"] },
        { "listen: http://127.0.0.1:1/path", ["`listen`"] },
        { "listen: [a]", ["postern.yaml:1:", "`listen` must be one value"] },
        { "listen: http://0.0.0.0:80", ["`issuer` is missing"] },
        { "issuer: http://example.com", ["postern.yaml:1:", "`issuer` is `http://example.com`", "https://HOST"] },
        { "issuer: https://example.com/", ["`issuer`", "without path or trailing slash"] },
        { "issuer: https://example.com/path", ["`issuer`"] },
        { "issuer: https://user@example.com", ["`issuer`"] },
        { "issuer: https://example.com?x", ["`issuer`"] },
        { "issuer: example.com", ["`issuer`"] },
        { "issuer: https://EXAMPLE.com", ["`issuer`"] },
        { "isuer: https://example.com", ["postern.yaml:1:", "`isuer` is not a setting", "issuer"] },
        {
            "tokens: { acces_lifetime: 5m }",
            ["postern.yaml:1:", "`tokens.acces_lifetime` is not a setting", "access_lifetime"]
        },
        { "tokens:\n  access_lifetime: 5", ["postern.yaml:2:", "`tokens.access_lifetime` is `5`", "from 1m to 1h"] },
        { "tokens: { access_lifetime: 2h }", ["`tokens.access_lifetime` is `2h`"] },
        { "tokens: { access_lifetime: -5m }", ["`tokens.access_lifetime` is `-5m`"] },
        { "tokens: { refresh_idle: 99999999999d }", ["`tokens.refresh_idle`"] },
        { "tokens: 7", ["postern.yaml:1:", "`tokens` must be a group of settings"] },
        { "demo: yes", ["postern.yaml:1:", "`demo` is `yes`", "true or false"] },
        { "audit: { mode: lax }", ["`audit.mode` is `lax`", "strict or relaxed"] },
        { "logs: { format: xml }", ["`logs.format` is `xml`", "text or json"] },
        {
            "outbound:\n  allow:\n    - 10.0.0.1/8x",
            ["postern.yaml:3:", "`outbound.allow` holds `10.0.0.1/8x`", "a network such as 10.0.0.0/8"]
        },
        { "outbound: { allow: 10.0.0.0/8 }", ["`outbound.allow` must be a list"] },
        { "outbound: { trust: [./nowhere.pem] }", ["`outbound.trust` holds `./nowhere.pem`", "a PEM file"] },
        { "proxies: [everybody]", ["`proxies` holds `everybody`"] },
        { "telemetry: { otlp: localhost:4317 }", ["`telemetry.otlp`"] },
        { "users: 7", ["postern.yaml:1:", "`users` must be a list"] },
        {
            "users:\n  - { email: nobody, password: correct-horse-battery }",
            ["postern.yaml:2:", "`users[].email` is `nobody`", "an e-mail address"]
        },
        { "users:\n  - { password: correct-horse-battery }", ["postern.yaml:2:", "`users[].email` is missing"] },
        { "users:\n  - { email: a@b.example }", ["`users[].password` is missing"] },
        {
            "users:\n  - { email: a@b.example, password: correct-horse-battery, roles: [king] }",
            ["`users[].roles` holds `king`"]
        },
        {
            "users:\n  - { email: a@b.example, password: correct-horse-battery, nickname: Ada }",
            ["`users[].nickname` is not a setting"]
        },
        { "clients:\n  - { client_secret: x }", ["`clients[].client_id` is missing", "postern.yaml:2:"] },
        {
            "servers:\n  - { name: Echo, http: http://127.0.0.1/ }",
            ["postern.yaml:2:", "`servers[].name` is `Echo`", "lower-case"]
        },
        { "servers:\n  - { name: -a, http: http://127.0.0.1/ }", ["`servers[].name`"] },
        { "servers:\n  - { name: a }", ["postern.yaml:2:", "server `a` needs either `http` or `command`"] },
        {
            "servers:\n  - { name: a, http: http://127.0.0.1/, command: [x] }",
            ["server `a` needs either `http` or `command`"]
        },
        { "servers:\n  - { name: a, http: file:///etc/passwd }", ["`servers[].http`"] },
        {
            "servers:\n  - { name: a, http: http://127.0.0.1/, tools: { wipe: terrible } }",
            ["`servers[].tools`", "read, change or destroy"]
        },
        {
            "servers:\n  - { name: a, command: [x], sandbox: { memory: 1 } }",
            ["`servers[].sandbox.memory` is `1`", "from 16 to 65536"]
        },
        {
            "servers:\n  - { name: a, command: [x], sandbox: { network: lan } }",
            ["`servers[].sandbox.network` is `lan`"]
        },
        { "a: [1", ["postern.yaml:", "not valid YAML"] },
        { "demo: true\ndemo: false", ["postern.yaml:", "not valid YAML"] },
        { "- demo", ["postern.yaml:1:", "the file must hold settings"] },
        { "demo", ["postern.yaml:1:", "the file must hold settings"] },
        { "data: \"\"", ["postern.yaml:1:", "`data` is ``", "expected a folder"] },
        { "demo: true\n---\ndemo: false", ["postern.yaml:3:", "here a second begins"] },
        {
            "users:\n  - { email: a@b.example, password: correct-horse-battery }\n"
                + "  - { email: A@B.example, password: correct-horse-battery }",
            ["postern.yaml:3:", "`users[].email` is `A@B.example` a second time"]
        },
        { "clients:\n  - { client_id: a }\n  - { client_id: a }", ["postern.yaml:3:", "is `a` a second time"] },
        {
            "servers:\n  - { name: a, http: http://127.0.0.1/ }\n  - { name: a, http: http://127.0.0.2/ }",
            ["postern.yaml:3:", "`servers[].name` is `a` a second time"]
        },
        { "\ndefault_server: nowhere", ["postern.yaml:2:", "`default_server` is `nowhere`", "one of `servers`"] },
        { "demo: false\ndefault_server: notes", ["postern.yaml:2:", "`default_server` is `notes`"] },
        { "demo: true\n[a, b]: c", ["postern.yaml:2:", "a setting's name is one word"] },
        {
            "servers:\n  - name: a\n    http: http://127.0.0.1/\n    tools: { [a]: read }",
            ["postern.yaml:4:", "`servers[].tools`", "a name is one word"]
        },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public void A_mistake_is_named_with_its_place_and_what_was_expected(string yaml, string[] said)
    {
        var refused = Assert.Throws<SetupException>(() => Read(yaml));

        Assert.All(said, words => Assert.Contains(words, refused.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("users:\n  - { email: a@b.example, password: hushhush }")]
    [InlineData("clients:\n  - { client_id: a, client_secret: hushhush }")]
    [InlineData("database: postgres://user:hushhush@")]
    public void A_secret_is_not_repeated_when_it_is_refused(string yaml)
    {
        var refused = Assert.Throws<SetupException>(() => Read(yaml));

        Assert.Contains("postern.yaml:", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hushhush", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void With_nothing_said_everything_has_a_value()
    {
        var settings = Read("");

        Assert.Equal("http://localhost:7400", settings.Issuer);
        Assert.Equal(TimeSpan.FromMinutes(10), settings.AccessLifetime);
        Assert.True(
            settings is { DynamicRegistration: true, MetadataDocuments: true, Demo: true, AuditIsRelaxed: false });
        Assert.Empty(settings.OutboundAllow);
    }

    [Fact]
    public void The_database_lies_in_the_data_folder_unless_it_is_told_elsewhere()
    {
        Assert.Equal("sqlite:/srv/postern/postern.db", Read("data: /srv/postern").Database.ToString());
        Assert.Equal("sqlite:x.db", Read("data: /srv/postern\ndatabase: sqlite:x.db").Database.ToString());
    }

    [Fact]
    public void Options_win_over_variables_and_variables_over_the_file()
    {
        const string yaml =
            "tokens: { access_lifetime: 3m, refresh_idle: 3d, refresh_absolute: 3d }\nproxies: [10.0.0.0/8]";
        var variables = new Dictionary<string, string>
        {
            ["POSTERN_TOKENS_ACCESS_LIFETIME"] = "4m",
            ["POSTERN_TOKENS_REFRESH_IDLE"] = "4d",
            ["POSTERN_PROXIES"] = "192.0.2.0/24, 198.51.100.0/24",
        };

        var settings = Read(yaml, new() { ["tokens.access_lifetime"] = "5m" }, variables);

        Assert.Equal(TimeSpan.FromMinutes(5), settings.AccessLifetime);
        Assert.Equal(TimeSpan.FromDays(4), settings.RefreshIdle);
        Assert.Equal(TimeSpan.FromDays(3), settings.RefreshAbsolute);
        Assert.Equal(["192.0.2.0/24", "198.51.100.0/24"], settings.Proxies.Select(network => network.ToString()));
    }

    [Fact]
    public void A_wrong_override_is_named_as_it_was_given()
    {
        var option = Assert.Throws<SetupException>(() => Read("", new() { ["tokens.access_lifetime"] = "soon" }));
        var variable = Assert.Throws<SetupException>(() => Read("", variables: new() { ["POSTERN_DEMO"] = "perhaps" }));
        var unknown = Assert.Throws<SetupException>(() => Read("", new() { ["tokns.access_lifetime"] = "5m" }));
        var nobodys =
            Assert.Throws<SetupException>(() => Read("", variables: new() { ["POSTERN_TOKNS_LIFETIME"] = "5m" }));
        var within = Assert.Throws<SetupException>(() => Read("", variables: new() { ["POSTERN_USERS"] = "ada" }));

        Assert.Contains("--tokens.access_lifetime:", option.Message, StringComparison.Ordinal);
        Assert.Contains("POSTERN_DEMO:", variable.Message, StringComparison.Ordinal);
        Assert.Contains("--tokns.access_lifetime is not a setting", unknown.Message, StringComparison.Ordinal);
        Assert.Contains("POSTERN_TOKNS_LIFETIME is not a setting", nobodys.Message, StringComparison.Ordinal);
        Assert.Contains("POSTERN_USERS is not a setting", within.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_settings_page_lists_what_is_read()
    {
        var source = SettingsSource.Parse(
            "postern.yaml",
            """
            users: [{ email: a@b.example, password: correct-horse-battery }]
            clients: [{ client_id: a }]
            servers:
              - name: a
                http: "http://127.0.0.1/"
                declares: [{ name: b, calls: [{ upstream: c, method: GET, path: / }] }]
            """,
            new Dictionary<string, string>(),
            new Dictionary<string, string>());
        _ = SettingsReader.Read(source);
        var lines = source.Descriptions.Select(setting =>
            $"| `{setting.Path}` | {setting.What} | {Fallback(setting.Fallback)} | {setting.Expected} |\n");

        CommittedFile.Matches(
            """
            # Settings

            Each is a key of `postern.yaml`; one that is not in a list is also a variable (`tokens.access_lifetime` is
            `POSTERN_TOKENS_ACCESS_LIFETIME`) and an option of `postern serve` (`--tokens.access_lifetime`). Options win
            over variables, those over the file.

            | setting | what it decides | when left out | expected |
            |---|---|---|---|

            """ + string.Concat(lines),
            "../../../docs/settings.md");
    }

    private static string Fallback(string? value) => value is null ? "" : $"`{value}`";

    private static Settings Read(
        string yaml, Dictionary<string, string>? options = null, Dictionary<string, string>? variables = null) =>
        SettingsReader.Read(
            SettingsSource.Parse("postern.yaml", yaml, options ?? [], variables ?? []));
}
