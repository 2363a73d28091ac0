namespace Postern.Hosting.Processes;

/// <summary>How many processes run, of each server and of all: one more has room, or has not.</summary>
internal sealed class ProcessRooms(int mostOfServer, int mostOfAll)
{
    private readonly Dictionary<string, int> running = [];

    /// <summary>As many run of this server as may.</summary>
    public bool IsFull(string server)
    {
        lock (running)
        {
            return CountOf(server) >= mostOfServer;
        }
    }

    /// <summary>Room for one more, given back when it is disposed; null when there is none.</summary>
    public IDisposable? TryEnter(string server)
    {
        lock (running)
        {
            if (IsFull(server) || running.Values.Sum() >= mostOfAll)
            {
                return null;
            }

            running[server] = CountOf(server) + 1;
            return new Room(this, server);
        }
    }

    private int CountOf(string server) => running.GetValueOrDefault(server);

    private void Leave(string server)
    {
        lock (running)
        {
            running[server]--;
        }
    }

    private sealed class Room(ProcessRooms owner, string server) : IDisposable
    {
        private int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) is 0)
            {
                owner.Leave(server);
            }
        }
    }
}
