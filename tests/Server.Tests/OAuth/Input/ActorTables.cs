using System.Text.Json.Nodes;

namespace Postern.Tests.OAuth.Input;

internal static partial class Tables
{
    // Who acts is said by a token of its own.
    private static async Task<Attempt> ActAsync(InputTown town)
    {
        var web = App.Web(town.Server);
        var service = new App(town.Server, "service", "", WalkTown.Secret);
        var own = (await service.AsItselfAsync(("resource", service.Resource))).AccessToken;
        return new(
            [
                ("grant_type", Exchange),
                ("subject_token", (await web.LetInAsync(town.Ada)).AccessToken),
                ("subject_token_type", AccessType),
                ("actor_token", own),
                ("actor_token_type", AccessType),
                ("client_id", "service"),
                ("client_secret", WalkTown.Secret),
            ],
            fields => town.PostAsync("/token", fields))
        {
            Only = ["actor_token", "actor_token_type"],
            Others = new()
            {
                [("actor_token", Wrong.OtherClient)] = async () =>
                    (await App.Bench(town.Server).AsItselfAsync()).AccessToken,
                [("actor_token", Wrong.OtherTenant)] = async () => (await town.TokensOfAcmeAsync()).AccessToken,
                [("actor_token", Wrong.OtherPurpose)] = () => RefreshOfAsync(town.Ada, web),
                [("actor_token", Wrong.Expired)] = () => LaterAsync(
                    town, TimeSpan.FromMinutes(11), Task.FromResult(own)),
                [("actor_token_type", Wrong.OtherPurpose)] = Be(IdType),
            },
        };
    }

    // The assertion is proof and grant at once: whoever names a client beside is not spoken of by it.
    private static Task<Attempt> WorkAsync(InputTown town) => Task.FromResult(new Attempt(
        [
            ("grant_type", Walker.JwtBearer),
            ("assertion", null),
            ("scope", "mcp:read"),
            ("resource", App.Web(town.Server).Resource),
        ],
        fields => town.PostAsync("/token", fields))
    {
        Left = [("client_id", "connector"), ("client_secret", WalkTown.Secret)],
        Made = new() { ["assertion"] = () => Work(town) },
        Others = OfClient(town, new()
        {
            [("assertion", Wrong.OtherTenant)] = Be(Work(town, claims => claims["aud"] = town.Acme.Tenant.Issuer)),
            [("assertion", Wrong.OtherPurpose)] = Be(Work(town, typ: "at+jwt")),
            [("assertion", Wrong.Expired)] = Be(Work(town, claims => claims["exp"] = town.Now - 1)),
            [("assertion", Wrong.Replayed)] = async () =>
            {
                var assertion = Work(town);
                await town.PostAsync("/token", [("grant_type", Walker.JwtBearer), ("assertion", assertion)]);
                return assertion;
            },
        }),
    });

    private static string Work(InputTown town, Action<JsonObject>? change = null, string typ = "JWT")
    {
        var claims = new JsonObject
        {
            ["iss"] = "https://platform.example",
            ["sub"] = "system:serviceaccount:agents:robot",
            ["aud"] = town.Server.Issuer,
            ["iat"] = town.Now,
            ["exp"] = town.Now + 300,
            ["jti"] = Guid.NewGuid().ToString("N"),
        };
        change?.Invoke(claims);
        return InputTown.Platform.Sign(claims, typ);
    }
}
