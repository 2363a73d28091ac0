namespace Postern.Platform.Configuration;

/// <summary>A person named in the configuration.</summary>
internal sealed record UserSeed(string Email, Secret Password, IReadOnlyList<string> Roles)
{
    public string? Name { get; init; }

    public bool IsEmailVerified { get; init; }

    public string? Organization { get; init; }

    public static UserSeed Read(SettingsNode node) => new(
        node.Value<string>(
            "email",
            "The address a person signs in with.",
            null,
            "an e-mail address",
            text => text.Contains('@') ? text : null)
            ?? throw node.Refuse("`users[].email` is missing"),
        new(node.Value<string>(
            "password",
            "The first password; a later change by the person stays.",
            null,
            "at least 12 characters",
            text => text.Length is >= 12 and <= 200 ? text : null,
            isSecret: true)
            ?? throw node.Refuse("`users[].password` is missing; expected at least 12 characters")),
        node.List("roles", "What the person may do here.", "admin", text => text is "admin" ? text : null))
    {
        Name = node.Text("name", "What the person is called, for apps they let know it."),
        IsEmailVerified = node.Flag("email_verified", "You know that the address is theirs; apps are told so.", false),
        Organization = OrganizationSeed.Membership(node),
    };
}
