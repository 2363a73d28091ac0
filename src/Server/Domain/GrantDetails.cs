namespace Postern.Domain;

/// <summary>
/// What a grant allows, said in details, and how a token of it comes to hold fewer of them (RFC 9396 §6). Pure, so that
/// its laws can be tried with any grants.
/// </summary>
internal static class GrantDetails
{
    extension(Grant grant)
    {
        /// <summary>As tokens and answers say it (§7); null where the scopes say all.</summary>
        public Details? Told => (grant.Tools, grant.Details) switch
        {
            (null, var details) => details,
            // Details that name tools name all that were left on.
            (_, { Tools: not null } details) => details,
            ([], var details) => details ?? new([]),
            (var tools, var details) => new([Tools(grant.Resource, tools), .. details?.All ?? []]),
        };

        /// <summary>
        /// The grant as a token of these details alone holds it; null when it does not hold them all. Where scopes
        /// alone say which tools, every tool there may be named; of tools that details say, those not named are gone.
        /// </summary>
        public Grant? Within(Details asked)
        {
            var told = grant.Told?.All ?? [];
            var held = grant is { Tools: null, IsIdentity: false }
                ? [.. told, Tools(grant.Resource, null)]
                : told;
            return asked.All.All(one => held.Any(one.Narrows))
                ? grant with
                {
                    Details = asked,
                    Tools = grant.Tools is null && asked.Tools is null ? null : asked.Tools ?? [],
                }
                : null;
        }
    }

    // Without actions it is compared with, and never written.
    private static Detail Tools(Resource resource, IReadOnlyList<string>? tools)
    {
        var limits = new SortedDictionary<string, Limit>(StringComparer.Ordinal)
        {
            ["locations"] = new Limit.Texts([resource.Value]),
        };
        if (tools is not null)
        {
            limits["actions"] = new Limit.Texts(tools);
        }

        return new(Detail.McpTool, limits);
    }
}
