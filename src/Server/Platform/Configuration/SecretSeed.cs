using System.Globalization;

namespace Postern.Platform.Configuration;

/// <summary>One of a client's secrets, and when it ends.</summary>
internal sealed record SecretSeed(Secret Secret, DateTimeOffset Until)
{
    public static SecretSeed Read(SettingsNode node) => new(
        node.Value<Secret>(
            "secret",
            "One of the client's secrets, at least 32 characters of randomness.",
            null,
            "at least 32 characters",
            text => text.Length >= 32 ? new(text) : null,
            isSecret: true) ?? throw node.Refuse("`clients[].client_secrets[].secret` is missing"),
        (DateTimeOffset?)node.Value<object>(
            "expires",
            "When it ends; left out, never.",
            null,
            "a time such as 2027-01-31 or 2027-01-31T12:00:00Z",
            text => DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var until)
                ? until
                : null) ?? DateTimeOffset.MaxValue);
}
