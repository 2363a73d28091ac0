using System.Web;
using AngleSharp.Html.Dom;
using Postern.Tests.Identity;

namespace Postern.Tests.OAuth.Input;

/// <summary>The link by which the first administrator of a tenant comes; each one has a tenant of its own.</summary>
internal static partial class Tables
{
    private static async Task<string> NewLinkAsync(InputTown town, string tenant) =>
        HttpUtility.ParseQueryString(new Uri((await town.AdministerAsync(
            HttpMethod.Post, $"/api/tenants/{tenant}/setup")).Member("setup")!).Query)["link"]!;

    private static Dictionary<(string, Wrong), Func<Task<string>>> OfLink(
        InputTown town, string at, string link)
    {
        return new()
        {
            [("link", Wrong.OtherTenant)] = () => NewLinkAsync(town, "spare"),
            [("link", Wrong.OtherPurpose)] = Be(town.AdminToken[7..]),
            [("link", Wrong.Expired)] = () => LaterAsync(town, TimeSpan.FromHours(1), Task.FromResult(link)),
            // A newer one was made.
            [("link", Wrong.Replayed)] = async () =>
            {
                await NewLinkAsync(town, at);
                return link;
            },
        };
    }

    private static async Task<Attempt> ShowSetupAsync(InputTown town)
    {
        var (visitor, tenant) = (new Person(town.Server), await NewTenantAsync(town));
        var link = await NewLinkAsync(town, tenant);
        return new(
            [("link", link)],
            async fields => Seen.Told(
                await Seen.ReadAsync(visitor, $"/t/{tenant}/setup?{InputTown.Encode(fields)}")))
        {
            Others = OfLink(town, tenant, link),
        };
    }

    private static async Task<Attempt> SetUpAsync(InputTown town)
    {
        var (visitor, tenant) = (new Person(town.Server), await NewTenantAsync(town));
        var link = await NewLinkAsync(town, tenant);
        var page = await Seen.ReadAsync(visitor, $"/t/{tenant}/setup?link={link}");
        var form = FieldOf(page, "/setup", FormField);
        var others = OfLink(town, tenant, link);
        others[("password", Wrong.OtherPurpose)] = Be("eve@example.test");
        others[(FormField, Wrong.OtherClient)] = async () => FieldOf(
            await Seen.ReadAsync(new Person(town.Server), $"/t/{tenant}/setup?link={link}"), "/setup", FormField);
        others[(FormField, Wrong.OtherTenant)] = async () => FieldOf(
            await Seen.ReadAsync(visitor, $"/t/spare/setup?link={await NewLinkAsync(town, "spare")}"),
            "/setup",
            FormField);
        others[(FormField, Wrong.OtherPurpose)] = async () => FieldOf(
            await Seen.ReadAsync(visitor, $"/t/{tenant}/signin"), "/signin", FormField);
        others[(FormField, Wrong.Expired)] = () => LaterAsync(town, TimeSpan.FromHours(3), Task.FromResult(form));
        return Sent(
            visitor,
            $"/t/{tenant}/setup",
            $"/t/{tenant}/console",
            ("link", link),
            (FormField, form),
            ("email", "eve@example.test"),
            ("password", WrongPassword)) with
        {
            Others = others,
        };
    }

    private static async Task<Attempt> SetUpByPasskeyAsync(InputTown town)
    {
        var name = NewName();
        var origin = $"http://{name}.localhost:{town.Server.Http.BaseAddress!.Port}";
        await town.AdministerAsync(
            HttpMethod.Post, "/api/tenants", ("name", $"\"{name}\""), ("host", $"\"{new Uri(origin).Authority}\""));
        var link = await NewLinkAsync(town, name);
        Person Visit() => new(origin, town.Server.Http.BaseAddress!);
        Task<IHtmlDocument> OpenAsync(Person person) =>
            Seen.ReadAsync(person, "/setup?link=" + link);
        var visitor = Visit();
        var page = await OpenAsync(visitor);
        var state = FieldOf(page, "/setup", "state");
        var key = new SoftKey(origin);
        return Sent(
            visitor,
            "/setup",
            "/console",
            ("link", link),
            (FormField, FieldOf(page, "/setup", FormField)),
            ("email", "eve@example.test"),
            ("passkey", key.Create(SoftKey.OptionsOn(page))),
            ("state", state)) with
        {
            Only = ["passkey", "state"],
            Others = OfPasskey(town, state, async () =>
            {
                var other = await OpenAsync(Visit());
                return (FieldOf(other, "/setup", "state"), key.Create(SoftKey.OptionsOn(other)));
            }),
        };
    }
}
