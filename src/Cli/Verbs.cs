using System.CommandLine;
using System.Text.Json.Serialization.Metadata;

namespace Postern.Cli;

/// <summary>What every verb has at hand.</summary>
internal static class Verbs
{
    extension(ParseResult parse)
    {
        public Screen Screen => new(parse.GetValue<bool>(JsonOption.Flag));

        /// <summary>The server that is meant.</summary>
        public string Server(Credentials known) =>
            parse.GetValue<string?>(ServerOption.Flag) is { } text
                ? ServerOption.Origin(text)!
                : known.Default ?? Credentials.LocalServer;

        /// <summary>
        /// The API of the server and tenant that are meant, with the token that <c>postern login</c> keeps for it.
        /// </summary>
        public AdminApi OpenApi()
        {
            var known = Credentials.Load();
            var server = parse.Server(known);
            return known.Tokens.TryGetValue(server, out var token)
                ? new(server, token, TenantOption.PathOf(parse))
                : throw new RefusalException($"There is no login for {server}. Run: postern login --server {server}");
        }

        /// <summary>Hands the answer on as it came, or tells people about it.</summary>
        public int Tell<T>(AdminApi api, string json, JsonTypeInfo<T> type, Action<Screen, T> tell)
            where T : class
        {
            if (parse.Screen is { IsJson: false } screen)
            {
                tell(screen, api.Read(json, type));
                return 0;
            }

            Screen.Document(json);
            return 0;
        }
    }
}
