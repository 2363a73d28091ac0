namespace Postern.OAuth.ClientAuth;

/// <summary>
/// Members of client metadata whose values are served or not. RFC 7591 §2 has what is unknown passed over; what is
/// known and not served is refused to who registers, who would rely on it. A document is written for many servers, and
/// is held to what this one has of it.
/// </summary>
internal static class RegisteredMembers
{
    // To encrypt is served nowhere.
    private static readonly string[] Encryption =
    [
        "id_token_encrypted_response_alg", "id_token_encrypted_response_enc",
        "userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc",
        "introspection_encrypted_response_alg", "introspection_encrypted_response_enc",
        "authorization_encrypted_response_alg", "authorization_encrypted_response_enc",
        "request_object_encryption_alg", "request_object_encryption_enc",
    ];

    private static readonly (string Member, string[] Served)[] Words =
    [
        ("introspection_signed_response_alg", OpenIdClient.Algorithms),
        ("backchannel_authentication_request_signing_alg", BackchannelMembers.Algorithms),
        ("backchannel_token_delivery_mode", ["poll", "ping"]),
    ];

    // Nobody's statements about software are trusted (RFC 7591 §2.3), so one that is well made is not approved.
    public static OAuthError? StatementRefusal(MetadataMembers members)
    {
        const string member = "software_statement";
        if (!members.Says(member))
        {
            return null;
        }

        return members.Text(member, ForeignToken.MaxLength) is { } text && ForeignToken.Read(text) is not null
            ? new("unapproved_software_statement", "Nobody's software statements are trusted here.")
            : new("invalid_software_statement", "software_statement is a signed JWT.");
    }

    /// <summary>Hears what is said and not served, and is kept nowhere.</summary>
    public static void RefuseUnserved(MetadataMembers members)
    {
        if (Array.Find(Encryption, members.Says) is { } encrypted)
        {
            members.Refuse($"{encrypted}: nothing is encrypted here.");
        }

        foreach (var (member, served) in Words)
        {
            _ = members.OneOf(member, served);
        }
    }

    public static IReadOnlyList<string> GrantTypes(MetadataMembers members, bool isDocument)
    {
        if (members.List("grant_types") is not { } named)
        {
            return [ClientMetadata.AuthorizationCode, ClientMetadata.RefreshToken];
        }

        if (!isDocument && named.FirstOrDefault(type => !IsForPeople(type)) is not null)
        {
            members.Refuse("grant_types of a client that registers itself: "
                + $"authorization_code, refresh_token, {ClientMetadata.DeviceCode}.");
        }

        return [.. named.Where(IsForPeople).Distinct(StringComparer.Ordinal)];
    }

    public static IReadOnlyList<string> ResponseTypes(MetadataMembers members, bool isDocument)
    {
        var named = members.List("response_types") ?? [ClientMetadata.Code];
        if (!isDocument && named.Any(type => type is not ClientMetadata.Code))
        {
            members.Refuse($"response_types: {ClientMetadata.Code}.");
        }

        return named;
    }

    public static IReadOnlyList<string> ResponseModes(MetadataMembers members, bool isDocument)
    {
        var named = members.List("response_modes") ?? [];
        var served = named.Where(ClientMetadata.AnswerModes.Contains).ToList();
        // Of a document, too, something must be left: a client without any may be answered in every way.
        if (served.Count < named.Count && (!isDocument || served.Count is 0))
        {
            members.Refuse($"response_modes is of these: {string.Join(", ", ClientMetadata.AnswerModes)}.");
        }

        return served;
    }

    public static Scopes? Scope(MetadataMembers members, bool isDocument)
    {
        if (members.Text("scope", Scopes.MaxLength) is not { Length: > 0 } text)
        {
            return null;
        }

        if (!Scopes.TryParse(text, out var scopes))
        {
            members.Refuse("scope is not a list of scopes.");
        }
        else if (!isDocument && !scopes.IsWithin(Scopes.Served))
        {
            members.Refuse($"scope is of these: {Scopes.Served}.");
        }

        return scopes;
    }

    // What a client may do by its own word: ask a person.
    private static bool IsForPeople(string type) =>
        type is ClientMetadata.AuthorizationCode or ClientMetadata.RefreshToken or ClientMetadata.DeviceCode;
}
