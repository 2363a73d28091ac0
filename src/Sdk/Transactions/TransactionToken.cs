using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Postern.AspNetCore.AccessTokens;

namespace Postern.AspNetCore.Transactions;

/// <summary>
/// A valid transaction token (draft-ietf-oauth-transaction-tokens): on whose behalf a call inside a trust domain is
/// made, and what for. It lets nobody in; only <see cref="TransactionTokenValidator"/> makes one.
/// </summary>
public sealed record TransactionToken : TokenOutcome
{
    internal TransactionToken()
    {
    }

    /// <summary><c>txn</c>: the transaction; at a gateway's servers, the entry of its log.</summary>
    public string Id { get; internal init; } = "";

    /// <summary><c>sub</c>: for whom.</summary>
    public string Subject { get; internal init; } = "";

    /// <summary><c>scope</c>: what for.</summary>
    public IReadOnlyList<string> Scopes { get; internal init; } = [];

    /// <summary><c>req_wl</c>: the workload that asked for it.</summary>
    public string Workload { get; internal init; } = "";

    /// <summary><c>exp</c>.</summary>
    public DateTimeOffset ExpiresAt { get; internal init; }

    /// <summary>
    /// All claims, among them <c>tctx</c>, what was authorized, <c>rctx</c>, the circumstances, and <c>act</c>.
    /// </summary>
    public JsonElement Claims { get; internal init; }

    /// <summary>
    /// Whether it was made for this call: <c>tool</c> and <c>arg_digest</c> of its <c>tctx</c>.
    /// </summary>
    /// <param name="tool">The tool that is called.</param>
    /// <param name="arguments">The bytes of <c>params.arguments</c> as they came, or <c>{}</c> without any.</param>
    public bool IsFor(string tool, ReadOnlySpan<byte> arguments) =>
        Claims.TryGetProperty("tctx", out var details)
        && details.ValueKind is JsonValueKind.Object
        && Says(details, "tool", tool)
        && Says(details, "arg_digest", "sha-256:" + Base64Url.EncodeToString(SHA256.HashData(arguments)));

    /// <summary>The <see cref="Id"/>, so that a log line holds nothing personal.</summary>
    public override string ToString() => Id;

    private static bool Says(JsonElement details, string name, string text) =>
        details.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String
        && value.ValueEquals(text);
}
