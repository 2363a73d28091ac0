using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AngleSharp.Dom;

namespace Postern.Tests.Identity;

/// <summary>
/// A passkey without a browser (WebAuthn Level 3 §7): answers the options of a page as <c>toJSON</c> would write it.
/// </summary>
internal sealed class SoftKey(string origin) : IDisposable
{
    // Present and verified; and that credential data follow.
    private const byte Seen = 0x05, WithData = 0x40;

    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] id = RandomNumberGenerator.GetBytes(16);
    private string? handle;

    public string Id => Base64Url.EncodeToString(id);

    /// <summary>The options that stand on a page.</summary>
    public static string OptionsOn(IParentNode page) =>
        page.QuerySelector("[data-options]")?.GetAttribute("data-options")
        ?? throw new InvalidOperationException("The page asks for no passkey.");

    /// <summary>Makes a credential (§7.1).</summary>
    public string Create(string options)
    {
        var asked = JsonNode.Parse(options)!;
        handle = asked["user"]!["id"]!.GetValue<string>();
        var point = key.ExportParameters(false).Q;
        byte[] data =
        [
            .. Head(Seen | WithData), .. new byte[16], 0, (byte)id.Length, .. id,
            // COSE: {1: 2, 3: -7, -1: 1, -2: x, -3: y}
            0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32, .. point.X!, 0x22, 0x58, 32, .. point.Y!,
        ];
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": …}
        byte[] attestation =
        [
            0xa3, 0x63, .. "fmt"u8, 0x64, .. "none"u8, 0x67, .. "attStmt"u8, 0xa0, 0x68, .. "authData"u8,
            0x58, (byte)data.Length, .. data,
        ];
        return Answer(new()
        {
            ["clientDataJSON"] = Base64Url.EncodeToString(Client("webauthn.create", asked)),
            ["attestationObject"] = Base64Url.EncodeToString(attestation),
            ["transports"] = new JsonArray("internal"),
        });
    }

    /// <summary>Signs a challenge (§7.2).</summary>
    public string Get(string options)
    {
        var client = Client("webauthn.get", JsonNode.Parse(options)!);
        var data = Head(Seen);
        var signature = key.SignData(
            [.. data, .. SHA256.HashData(client)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return Answer(new()
        {
            ["clientDataJSON"] = Base64Url.EncodeToString(client),
            ["authenticatorData"] = Base64Url.EncodeToString(data),
            ["signature"] = Base64Url.EncodeToString(signature),
            ["userHandle"] = handle,
        });
    }

    public void Dispose() => key.Dispose();

    // It counts nothing (§6.1.1).
    private byte[] Head(int flags) =>
        [.. SHA256.HashData(Encoding.UTF8.GetBytes(new Uri(origin).Host)), (byte)flags, 0, 0, 0, 0];

    private byte[] Client(string type, JsonNode asked) => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["type"] = type,
        ["challenge"] = asked["challenge"]!.GetValue<string>(),
        ["origin"] = origin,
        ["crossOrigin"] = false,
    });

    private string Answer(JsonObject response) => new JsonObject
    {
        ["id"] = Id,
        ["rawId"] = Id,
        ["type"] = "public-key",
        ["authenticatorAttachment"] = "platform",
        ["clientExtensionResults"] = new JsonObject(),
        ["response"] = response,
    }.ToJsonString();
}
