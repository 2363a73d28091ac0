using System.Security.Cryptography;
using Postern.AspNetCore.Proofs;
using Postern.Platform.Configuration;
using Postern.Platform.Database;
using Postern.Platform.Keys;

namespace Postern.Grants;

/// <summary>
/// The one judge of DPoP proofs, for every endpoint that takes them, so that what was used at one is used at all. On
/// PostgreSQL, where other nodes may be, all of them remember; one process on SQLite remembers for itself.
/// </summary>
internal sealed class HolderProofs
{
    private const string Purpose = "dpop-nonce";

    public HolderProofs(
        Db db, Sealer sealer, Settings settings, TimeProvider clock, RandomNumberGenerator random)
    {
        var isAlone = db.Address.Path is not null;
        // The nodes of an installation know each other's nonces. A lone process does not know those of the one before
        // it, whose memory is gone.
        var key = isAlone ? random.Bytes(32) : sealer.Shared(Purpose);
        Nonces = new(key, clock);
        Validator = new(clock, Nonces, settings.DpopRemembered)
        {
            Window = settings.DpopWindow,
            RequiresNonce = settings.DpopRequiresNonce,
            IsFirstUse = isAlone ? null : new UsedProofs(db, clock).IsFirstAsync,
        };
    }

    public ProofValidator Validator { get; }

    /// <summary>What proofs have to repeat, those of other kinds too.</summary>
    public ProofNonces Nonces { get; }
}
