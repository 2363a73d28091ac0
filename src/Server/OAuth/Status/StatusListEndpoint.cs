using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using Postern.Grants;
using Postern.Platform.Http;
using Postern.Platform.Keys;
using Postern.Platform.Tenants;

namespace Postern.OAuth.Status;

/// <summary>
/// draft-ietf-oauth-status-list: two signed bits for each place, which tell a token that ended before its time from one
/// of somebody who is switched off. Made again for whoever asks, at most every ten seconds, and good for a minute.
/// </summary>
internal sealed class StatusListEndpoint(StatusPlaces places, OffGrants off, JwtWriter jwt, TimeProvider clock)
{
    private const string Type = "statuslist+jwt", Media = $"application/{Type}";

    /// <summary>§7.1. A place is 0 where the token stands, and where there is none.</summary>
    private const byte Invalid = 1, Suspended = 2;

    private const int Bits = 2;

    private const int TimeToLive = 60;

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10), Life = TimeSpan.FromMinutes(5);

    // As many as there are lists, times the tenants.
    private readonly ConcurrentDictionary<(TenantId, int), Held> held = new();

    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapGet(StatusPlaces.Path + "/{list}", (HttpContext http, string list, StatusListEndpoint lists) =>
            lists.WriteAsync(http, list))
        .Open().AnyOrigin();

    private async Task<IResult> WriteAsync(HttpContext http, string name)
    {
        // A list has one address, as everything has.
        if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var list)
            || list >= StatusPlaces.Lists
            || list.ToString(CultureInfo.InvariantCulture) != name)
        {
            return Results.NotFound();
        }

        // §8.4: what stood at another time is told to nobody. It would show who was interested in what.
        if (http.Request.Query.ContainsKey("time"))
        {
            return Results.StatusCode(StatusCodes.Status501NotImplemented);
        }

        var (tenant, now) = (http.Tenant, clock.GetUtcNow());
        var current = held.AddOrUpdate(
            (tenant.Id, list),
            _ => new(now, new(() => ListAsync(tenant, list, now))),
            (_, old) => old.Serves(now) ? old : new(now, new(() => ListAsync(tenant, list, now))));
        var text = await current.Text.Value;
        http.Response.Headers.CacheControl = $"public, max-age={TimeToLive}";
        Origins.LetAny(http);
        return Results.Text(text, Media);
    }

    // Not with one caller's token: others wait for the same list.
    private async Task<string> ListAsync(Tenant tenant, int list, DateTimeOffset now)
    {
        var suspended = await off.PlacesAsync(tenant.Id, list, CancellationToken.None);
        var ended = await places.EndedAsync(tenant.Id, list, CancellationToken.None);
        var statuses = Compressed(ended, suspended.Select(place => place.Item1));
        return await jwt.WriteAsync(
            tenant.Id,
            Type,
            SigningKey.Es256,
            json =>
            {
                json.WriteString("iss"u8, tenant.Issuer);
                json.WriteString("sub"u8, tenant.Address($"{StatusPlaces.Path}/{list}"));
                json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
                json.WriteNumber("exp"u8, (now + Life).ToUnixTimeSeconds());
                json.WriteNumber("ttl"u8, TimeToLive);
                json.WriteStartObject("status_list"u8);
                json.WriteNumber("bits"u8, Bits);
                json.WriteString("lst"u8, statuses);
                json.WriteEndObject();
            },
            CancellationToken.None);
    }

    // §4.1: place 0 is the lowest bits of the first byte; ZLIB over DEFLATE. A place has one status, and what ended is
    // not only suspended.
    private static string Compressed(IReadOnlyList<int> ended, IEnumerable<int> suspended)
    {
        var statuses = new byte[StatusPlaces.Size];
        foreach (var place in suspended)
        {
            statuses[place] = Suspended;
        }

        foreach (var place in ended)
        {
            statuses[place] = Invalid;
        }

        var bytes = new byte[StatusPlaces.Size * Bits / 8];
        for (var place = 0; place < statuses.Length; place++)
        {
            bytes[place * Bits / 8] |= (byte)(statuses[place] << (place * Bits % 8));
        }

        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            deflate.Write(bytes);
        }

        return Base64Url.EncodeToString(packed.ToArray());
    }

    private sealed record Held(DateTimeOffset At, Lazy<Task<string>> Text)
    {
        // One that failed is tried again by the next who asks.
        public bool Serves(DateTimeOffset now) =>
            now - At < Fresh && !(Text.IsValueCreated && Text.Value.IsCompleted && !Text.Value.IsCompletedSuccessfully);
    }
}
