namespace Postern.Tests.OAuth.Input;

/// <summary>What resource servers, security tools and operators ask.</summary>
internal static partial class Tables
{
    private static readonly (string Name, string? Value)[] BobsId =
        [("sub_id.format", "\"email\""), ("sub_id.email", $"\"{Person.Bob}\"")];

    private static Task<Attempt> RevokePersonAsync(InputTown town)
    {
        var attempt = WithHeader(
            town,
            new(BobsId, fields => town.SendJsonAsync(HttpMethod.Post, "/revoke/person", fields)),
            "guard",
            WalkTown.Secret);
        return Task.FromResult(attempt with
        {
            Only = null,
            // RFC 9493 §3: exactly the members of its format.
            Left = [("sub_id.id", "\"x\"")],
            Others = new(attempt.Others.Concat(
                JsonText.Wrongs(["sub_id.format", "sub_id.email", "sub_id.id"])))
            {
                [(Basic, Wrong.OtherPurpose)] = Be(App.Basic("web", App.WebSecret)),
                [("sub_id.email", Wrong.OtherTenant)] = Be("\"nobody@example.test\""),
                [("sub_id.format", Wrong.OtherPurpose)] = Be("\"phone_number\""),
            },
        });
    }

    private static Task<Attempt> FollowAsync(InputTown town)
    {
        var attempt = WithHeader(
            town,
            new(
                [("resource", App.Web(town.Server).Resource), ("Last-Event-ID", $"{town.Now}")],
                async fields =>
                {
                    // Who has just left may still be counted.
                    var word = "";
                    await Eventually.TrueAsync(async () =>
                    {
                        word = InputTown.Word(await town.SendAsync(HttpMethod.Get, "/revocations", fields));
                        return !word.Contains("503", StringComparison.Ordinal);
                    });
                    return word;
                }),
            "watch",
            App.WatchSecret);
        return Task.FromResult(attempt with
        {
            Only = null,
            Others = new(attempt.Others)
            {
                [(Basic, Wrong.OtherClient)] = Be(App.Basic("web", App.WebSecret)),
                [("resource", Wrong.OtherClient)] = Be($"{town.Server.Issuer}/mcp/notes"),
                [("resource", Wrong.OtherTenant)] = Be(town.Acme.App.Resource),
                [("resource", Wrong.OtherPurpose)] = Be($"{town.Server.Issuer}/userinfo"),
                [("Last-Event-ID", Wrong.Expired)] = Be("1"),
            },
        });
    }

    private static Task<Attempt> StatusAsync(InputTown town) => Task.FromResult(new Attempt(
        [("{list}", "0")],
        async fields => InputTown.Word(await town.SendAsync(HttpMethod.Get, "/statuslists/{list}", fields)))
    {
        // What stood at another time is told to nobody.
        Left = [("time", $"{town.Now}")],
        Others = new() { [("{list}", Wrong.OtherPurpose)] = Be("64") },
    });

    private static async Task<Attempt> UserInfoByPostAsync(InputTown town)
    {
        var attempt = await UserInfoAsync(town);
        return attempt with
        {
            SendAsync = async fields => InputTown.Word(await town.SendAsync("/userinfo", fields)),
            // RFC 6750 §2.2: a body is not looked at.
            Left = [("access_token", "x")],
        };
    }
}
