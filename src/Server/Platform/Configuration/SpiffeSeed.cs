namespace Postern.Platform.Configuration;

/// <summary>A SPIFFE trust domain whose workloads prove themselves here, and where its keys are.</summary>
/// <param name="TrustDomain">Its name, such as <c>example.org</c>.</param>
/// <param name="Endpoint">Where its bundle is published (SPIFFE Federation §5, with WebPKI).</param>
/// <param name="File">A file that holds its bundle.</param>
internal sealed record SpiffeSeed(string TrustDomain, string? Endpoint, string? File)
{
    public static SpiffeSeed Read(SettingsNode node)
    {
        var seed = new SpiffeSeed(
            node.Required("trust_domain", "The trust domain whose workloads may be clients.", "a name: example.org"),
            node.Text("bundle_endpoint", "Where its bundle is published.", null, "an https URL"),
            node.Value<string>(
                "bundle_file",
                "A file with its bundle, read again every five minutes that it is used.",
                null,
                "a file",
                text => System.IO.File.Exists(text) ? text : null));
        return (seed.Endpoint is null) == (seed.File is null)
            ? throw node.Refuse($"trust domain `{seed.TrustDomain}` needs either `bundle_endpoint` or `bundle_file`")
            : seed;
    }
}
