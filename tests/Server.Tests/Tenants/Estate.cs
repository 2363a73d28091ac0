using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Postern.Audit;
using Postern.Identity.Passwords;
using Postern.Identity.Users;
using Postern.Platform.Tenants;
using Postern.Servers;

namespace Postern.Tests.Tenants;

/// <summary>One tenant as its people and apps see it, at one node.</summary>
internal sealed class Estate : IDisposable
{
    private Estate(TestServer server, Tenant tenant)
    {
        (Server, Tenant) = (server, tenant);
        Http = new(new Below(tenant.Path)) { BaseAddress = server.Http.BaseAddress };
        Http.DefaultRequestHeaders.Host = tenant.Authority;
    }

    public TestServer Server { get; }

    public Tenant Tenant { get; }

    /// <summary>Asks below the tenant: <c>/token</c> is the tenant's.</summary>
    public HttpClient Http { get; }

    /// <summary>An app that has registered itself here.</summary>
    public App App { get; private set; } = null!;

    /// <summary>
    /// Makes a tenant with Ada and Bob, the server <c>echo</c> that nobody needs to reach, and an app.
    /// </summary>
    public static async Task<Estate> AddAsync(TestServer server, string name, string? host = null)
    {
        var tenant = await server.Get<TenantBook>()
            .AddAsync(new() { Name = name, Host = host }, (_, _) => { }, default);
        var estate = new Estate(server, tenant!);
        foreach (var (email, password) in new[]
            { (Person.Ada, Person.AdasPassword), (Person.Bob, Person.BobsPassword) })
        {
            await estate.AddUserAsync(email, password);
        }

        var echo = new ServerSettings("echo", null, "https://echo.example/mcp", new Dictionary<string, string>());
        var by = new AuditEntry { Tenant = tenant!.Id, Kind = AuditKinds.ServerAdded };
        Assert.True(await server.Get<ServerBook>().AddAsync(tenant.Id, echo, by));
        return estate.With(await estate.RegisterAsync());
    }

    /// <summary>The same tenant at another node.</summary>
    public Estate At(TestServer node) => new Estate(node, Tenant).With(App.Id);

    /// <summary>Registers an app that knows these ways to a grant; answers its identifier.</summary>
    public async Task<string> RegisterAsync(params string[] ways)
    {
        using var answer = await Http.PostAsJsonAsync("/register", new
        {
            redirect_uris = new[] { "https://app.example/cb" },
            token_endpoint_auth_method = "none",
            grant_types = (string[])["authorization_code", "refresh_token", .. ways],
        });
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("client_id").GetString()!;
    }

    /// <summary>A person at a browser of their own, or that goes on in another's.</summary>
    public Person Visit(string email = Person.Ada, Person? like = null) =>
        new(Tenant.Origin, Server.Http.BaseAddress!, email, like);

    /// <summary>The address a person opens to let the app in.</summary>
    public string Ask => Tenant.Path + App.Authorize();

    public string Cookie(string name) => Tenant.Cookie(name);

    public async Task<JsonElement> JsonAsync(string path) =>
        JsonElement.Parse(await Http.GetStringAsync(new Uri(path, UriKind.Relative)));

    /// <summary>Is let in by Ada and redeems the code.</summary>
    public async Task<Reply> LetInAsync(Person person)
    {
        var reply = await App.RedeemAsync((await person.AllowAsync(Ask)).Code);
        Assert.True(reply.Text.Contains("access_token", StringComparison.Ordinal), reply.Text);
        return reply;
    }

    /// <summary>An app of a tenant that was here before, as if nothing had happened.</summary>
    public App With(Estate before) => new(Http, Tenant.Issuer, before.App.Id, "https://app.example/cb");

    public void Dispose() => Http.Dispose();

    private Estate With(string client)
    {
        App = new(Http, Tenant.Issuer, client, "https://app.example/cb");
        return this;
    }

    private async Task AddUserAsync(string email, string password)
    {
        var now = Server.Clock.GetUtcNow();
        var user = new User
        {
            Tenant = Tenant.Id,
            Id = User.NewId(now, RandomNumberGenerator.Create()),
            Email = email,
            PasswordHash = await Server.Get<PasswordHashes>().MakeAsync(password, default),
            IsAdmin = email is Person.Ada,
            CreatedAt = now,
        };
        Assert.True(await Server.Db.WriteAsync(unit => UserStore.InsertAsync(unit, user)));
    }

    /// <summary>Puts what a client asks for below a path.</summary>
    private sealed class Below(string path) : DelegatingHandler(
        new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false })
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var asked = request.RequestUri!;
            if (!asked.AbsolutePath.StartsWith(path + "/", StringComparison.Ordinal)
                && !asked.AbsolutePath.StartsWith("/.well-known/", StringComparison.Ordinal))
            {
                request.RequestUri = new(asked.GetLeftPart(UriPartial.Authority) + path + asked.PathAndQuery);
            }

            return base.SendAsync(request, cancellationToken);
        }
    }
}
