namespace Postern.Gateway.Relay;

/// <summary>Whether a call may have reached its server. In doubt it has.</summary>
internal sealed class Departure
{
    private int times;
    private bool isCertainlyHere;

    public bool Happened => times > 1 || (times is 1 && !isCertainlyHere);

    /// <summary>It is handed to what sends it.</summary>
    public void Leave() => times++;

    /// <summary>What sends it could not reach the server, and had not begun to send.</summary>
    public void Fail() => isCertainlyHere = true;
}
