using System.Text.Json.Serialization;

namespace Postern.Gateway.Inspect;

/// <summary>The few values of the wire that are written from objects; all else is spliced.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class RpcJson : JsonSerializerContext;
