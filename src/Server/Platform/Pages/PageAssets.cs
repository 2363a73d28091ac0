using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;

namespace Postern.Platform.Pages;

/// <summary>
/// The files our pages load, part of the executable. A name carries the hash of its content, so it never lies.
/// </summary>
internal static class PageAssets
{
    private static readonly FrozenDictionary<string, Asset> All = Load().ToFrozenDictionary(asset => asset.File);

    /// <summary>The address of an embedded file; asking for one that does not exist is a mistake of ours.</summary>
    public static string Url(string file) => $"/assets/{All[file].HashedName}";

    public static Asset? Find(string hashedName) => All.Values.FirstOrDefault(asset => asset.HashedName == hashedName);

    private static IEnumerable<Asset> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var names = assembly.GetManifestResourceNames();
        foreach (var resource in names.Where(name => name.StartsWith("assets/", StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            yield return new(resource["assets/".Length..], content);
        }
    }

    internal sealed record Asset(string File, byte[] Content)
    {
        public string HashedName { get; } =
            $"{Path.GetFileNameWithoutExtension(File)}.{Hash(Content)}{Path.GetExtension(File)}";

        public string Type => Path.GetExtension(File) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => throw new InvalidOperationException($"No content type is known for {File}."),
        };

        private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content))[..12];
    }
}
