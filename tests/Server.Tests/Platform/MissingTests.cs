using System.Net;

namespace Postern.Tests.Platform;

/// <summary>What is said where there is nothing, or not this.</summary>
public sealed class MissingTests : IAsyncLifetime
{
    private TestServer server = null!;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Theory, Rfc(9110, "15.5.6")]
    [InlineData("GET", "/token", "POST")]
    [InlineData("GET", "/introspect", "POST")]
    [InlineData("PUT", "/authorize", "GET, POST")]
    [InlineData("POST", "/jwks", "GET")]
    [InlineData("DELETE", "/healthz", "GET")]
    [InlineData("POST", "/register/c_0123456789012345678901", "DELETE, GET, PUT")]
    public async Task Whoever_asks_in_the_wrong_way_learns_the_right_one(string method, string path, string takes)
    {
        using var answer = await SendAsync(method, path, "*/*");

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.Equal(takes, string.Join(", ", answer.Content.Headers.Allow));
        Assert.Equal($"This address takes {takes}.\n", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Where_there_is_nothing_a_person_reads_a_page_and_a_program_a_status()
    {
        using var person = await SendAsync("GET", "/nowhere", "text/html");
        using var program = await SendAsync("PATCH", "/nowhere", "*/*");

        Assert.Equal(HttpStatusCode.NotFound, person.StatusCode);
        Assert.Contains("There is nothing here", await person.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.NotFound, program.StatusCode);
        Assert.Equal("", await program.Content.ReadAsStringAsync());
    }

    private Task<HttpResponseMessage> SendAsync(string method, string path, string accept)
    {
        var request = new HttpRequestMessage(new(method), new Uri(path, UriKind.Relative));
        request.Headers.Accept.ParseAdd(accept);
        return server.Http.SendAsync(request);
    }
}
