using System.Text.Json.Nodes;
using static Postern.Tests.Combinations;

namespace Postern.Tests.OAuth.Journeys;

/// <content>The configuration.</content>
public sealed partial class JourneyTown
{
    private string Yaml()
    {
        var clients = Journey.All.Where(journey => journey is { IsAtTenant: false, Proof: not null })
            .DistinctBy(NameOf).ToList();
        var all = string.Join(", ", Servers);
        var attested = clients.Where(one => one.Proof is Attested).Select(NameOf)
            .Concat(Journey.All.Where(one => one is { IsAtTenant: true, Proof: Attested })
                .Select(one => documents.At(PathOf(NameOf(one)))));
        var asserting = clients.Select(one => IdOf(NameOf(one), one.Proof));
        return $$"""
            {{documents.Settings}}
            demo: false
            mtls: { proxies: [127.0.0.1/32], authorities: [{{authority.File}}] }
            spiffe:
              - { trust_domain: example.org, bundle_file: {{bundle}} }
            users:
              - { email: {{Person.Ada}}, password: {{Person.AdasPassword}} }
            trust_domain: inside.example
            trusted_attesters:
              - issuer: https://attester.example
                jwks: '{{AttestedApp.Attester.Jwks}}'
                clients: [{{string.Join(", ", attested.Distinct().Select(id => $"'{id}'"))}}]
            trusted_issuers:
              - { issuer: {{Idp}}, kind: idp, jwks: '{{Domain.Jwks}}', resources: [{{all}}], scope: mcp:read,
                  email_domains: [example.test] }
              - { issuer: {{Platform}}, kind: workload, jwks: '{{Domain.Jwks}}', resources: [{{all}}], scope: mcp:read }
            asserts_to:
              - issuer: https://else.example
                resources: [https://else.example/mcp]
                scope: mcp:read
                clients: { {{string.Join(", ", asserting.Select(id => $"'{id}': connector"))}} }
            clients:
            {{string.Concat(clients.Select(one => Seed(one, all)))}}
            {{string.Concat(new[] { null, Dpop, Certificate }.Select(bound => TellerSeed(bound, all)))}}
              - { client_id: watch, client_secret: {{App.WatchSecret}}, grant_types: [client_credentials],
                  introspects: [{{all}}] }
            servers:
              - { name: echo, http: http://127.0.0.1:9/mcp }
              - { name: hidden, http: http://127.0.0.1:9/mcp, token: { format: opaque } }
              - { name: proven, http: http://127.0.0.1:9/mcp, require_dpop: true }
              - { name: hiddenproven, http: http://127.0.0.1:9/mcp, require_dpop: true, token: { format: opaque } }
              - { name: shown, http: http://127.0.0.1:9/mcp, require_certificate: true }
              - { name: hiddenshown, http: http://127.0.0.1:9/mcp, require_certificate: true,
                  token: { format: opaque } }
            """;
    }

    private string Seed(Journey journey, string all)
    {
        var name = NameOf(journey);
        var lines = Members(journey, name).Select(member => $"{member.Key}: {Text(member.Value!)}").ToList();
        lines.Insert(0, $"client_id: '{IdOf(name, journey.Proof)}'");
        lines.AddRange([
            $"jwks: '{JwksOf(journey)}'",
            $"grant_types: [{string.Join(", ", GrantTypes(journey).Select(type => $"'{type}'"))}]",
            $"resources: [{all}]",
        ]);
        lines.AddRange(journey.Proof is None ? [] : [$"introspects: [{all}]", "actor: service"]);
        lines.AddRange(journey.Proof is SharedSecret ? [$"client_secret: {Secret}"] : []);
        lines.AddRange(journey.Has(Fapi) ? ["profile: fapi2"] : []);
        lines.AddRange(journey.Has(Deferred) ? [$"approval: {Person.Ada}"] : []);
        lines.AddRange(journey.Has(Fapi) || (journey.Has(Signed) && journey.Has(Backchannel))
            ? ["backchannel_authentication_request_signing_alg: ES256"]
            : []);
        return $"  - {string.Join("\n    ", lines)}\n";

        static string Text(JsonNode value) =>
            value is JsonArray list ? $"['{list[0]}']" : $"{value}" is "true" ? "true" : $"'{value}'";
    }

    private static string TellerSeed(string? bound, string all)
    {
        var binds = bound switch
        {
            Dpop => ", dpop_bound_access_tokens: true",
            Certificate => ", tls_client_certificate_bound_access_tokens: true",
            _ => "",
        };
        return $"  - {{ client_id: {TellerId(bound)}, client_secret: {Secret}, resources: [{all}], "
            + $"introspects: [{all}], actor: service, grant_types: ['{Prefix}token-exchange']{binds} }}\n";
    }

    private string Bundle()
    {
        var key = JsonNode.Parse(Domain.Jwks)!["keys"]![0]!.DeepClone();
        var root = JsonNode.Parse(Authority.Jwks(authority.Certificate))!["keys"]![0]!.DeepClone();
        (key["use"], root["use"]) = ("jwt-svid", "x509-svid");
        return new JsonObject { ["keys"] = new JsonArray(key, root), ["spiffe_sequence"] = 1 }.ToJsonString();
    }
}
