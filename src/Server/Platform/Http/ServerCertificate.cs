using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Platform.Configuration;

namespace Postern.Platform.Http;

/// <summary>
/// The certificate the server shows. Its files are looked at again each minute that somebody connects, so that a
/// renewed one needs no restart; files that cannot be used leave the last good one in place.
/// </summary>
internal sealed partial class ServerCertificate(TlsSeed seed, TimeProvider clock, ILogger<ServerCertificate> logger)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    private readonly Lock looking = new();
    private volatile Loaded loaded = Load(seed, clock.GetUtcNow());

    public SslStreamCertificateContext Current
    {
        get
        {
            if (clock.GetUtcNow() >= loaded.LookAgainAt && looking.TryEnter())
            {
                try
                {
                    LookAgain();
                }
                finally
                {
                    looking.Exit();
                }
            }

            return loaded.Context;
        }
    }

    private void LookAgain()
    {
        var now = clock.GetUtcNow();
        try
        {
            // By what they hold: links that are turned elsewhere keep their times.
            loaded = loaded.Holds(seed) ? loaded with { LookAgainAt = now + LookEvery } : Load(seed, now);
        }
        catch (SetupException failure)
        {
            Log.NotLoaded(logger, failure.Message);
            loaded = loaded with { LookAgainAt = now + LookEvery };
        }
    }

    private static Loaded Load(TlsSeed seed, DateTimeOffset now)
    {
        try
        {
            var (pem, key) = (File.ReadAllText(seed.Certificate), File.ReadAllText(seed.Key));
            using var leaf = X509Certificate2.CreateFromPem(pem, key);
            // Not every platform's TLS takes a key that was never in a store.
            var whole = X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), null);
            var all = new X509Certificate2Collection();
            all.ImportFromPem(pem);
            var above = new X509Certificate2Collection(
                all.Where(one => one.Thumbprint != leaf.Thumbprint).ToArray());
            return new(
                pem, key, SslStreamCertificateContext.Create(whole, above, offline: true), now + LookEvery);
        }
        catch (Exception failure) when (
            failure is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new SetupException($"`tls`: {seed.Certificate} and {seed.Key} cannot be used: {failure.Message}");
        }
    }

    private sealed record Loaded(
        string Pem, string Key, SslStreamCertificateContext Context, DateTimeOffset LookAgainAt)
    {
        public bool Holds(TlsSeed seed)
        {
            try
            {
                return File.ReadAllText(seed.Certificate) == Pem && File.ReadAllText(seed.Key) == Key;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new SetupException($"`tls`: {failure.Message}");
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The renewed certificate is not used: {Cause}")]
        public static partial void NotLoaded(ILogger logger, string cause);
    }
}
