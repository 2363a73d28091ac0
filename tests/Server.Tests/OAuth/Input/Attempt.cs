namespace Postern.Tests.OAuth.Input;

/// <summary>
/// A request that is answered well as it stands, and everything that can be wrong with each of its parameters.
/// </summary>
/// <param name="Fields">
/// The parameters, each with a good value. A name that begins with a capital is a header, one in braces a part of the
/// path.
/// </param>
/// <param name="SendAsync">Sends them; says how it was answered, in a word.</param>
internal sealed record Attempt(
    (string Name, string? Value)[] Fields, Func<(string Name, string? Value)[], Task<string>> SendAsync)
{
    public const string Good = "accepted", None = "–";

    /// <summary>What no decoder of UTF-8 can make; the place of it in a request.</summary>
    public const string NoText = "\uFFFF";

    private static readonly string Long = new('x', 17_000);

    /// <summary>Values that are good elsewhere, or were, each made when it is needed.</summary>
    public Dictionary<(string Parameter, Wrong How), Func<Task<string>>> Others { get; init; } = [];

    /// <summary>What the request as it should be leaves out, each with a value to try.</summary>
    public (string Name, string? Value)[] Left { get; init; } = [];

    /// <summary>Values that are good once, and so are made for each request.</summary>
    public Dictionary<string, Func<string>> Made { get; init; } = [];

    /// <summary>Ways to be wrong that a parameter has not.</summary>
    public (string Parameter, Wrong How)[] Never { get; init; } = [];

    /// <summary>Whether the same request is good only once, so that none can follow a refused one.</summary>
    public bool IsSingle { get; init; }

    /// <summary>The parameters of this table; null for all. The others stand in another.</summary>
    public string[]? Only { get; init; }

    /// <summary>Answers after which nothing more can be asked.</summary>
    public string[] Ends { get; init; } = [];

    public IEnumerable<string> Parameters =>
        Fields.Concat(Left).Select(one => one.Name).Where(name => Only?.Contains(name) is not false);

    /// <summary>Whether a parameter can be wrong in this way.</summary>
    public bool Has(string parameter, Wrong how) =>
        Others.ContainsKey((parameter, how)) || (IsForAll(how) && !Never.Contains((parameter, how)));

    /// <summary>How the request is answered with one parameter that is wrong.</summary>
    public async Task<string> TryAsync(string parameter, Wrong how)
    {
        var values = await ValuesAsync(parameter, how);
        var outcome = await SendFreshAsync(
            [.. Fields.Where(field => field.Name != parameter), .. values.Select(value => (parameter, value))]);

        // Whatever was refused, the request as it should be is still good: nothing was used up.
        return outcome is Good || IsSingle || Ends.Contains(outcome) || how is Wrong.Expired or Wrong.Replayed
            || await SendFreshAsync(Fields) is Good
                ? outcome
                : outcome + ", and used up";
    }

    private Task<string> SendFreshAsync((string Name, string? Value)[] fields) => SendAsync(
        [.. fields.Select(one => (one.Name, one.Value ?? Made.GetValueOrDefault(one.Name)?.Invoke()))]);

    private static bool IsForAll(Wrong how) =>
        how is Wrong.Missing or Wrong.Empty or Wrong.Twice or Wrong.Long or Wrong.Type or Wrong.Encoding;

    private async Task<string?[]> ValuesAsync(string parameter, Wrong how)
    {
        if (Others.TryGetValue((parameter, how), out var make))
        {
            return [await make()];
        }

        var good = Fields.Concat(Left).Single(field => field.Name == parameter).Value;
        return how switch
        {
            Wrong.Missing => [],
            Wrong.Empty => [""],
            Wrong.Twice => [good, good],
            Wrong.Long => [Long],
            Wrong.Type => ["[7]"],
            Wrong.Encoding => [NoText],
            _ => throw new ArgumentOutOfRangeException(nameof(how)),
        };
    }
}
