using System.Text;

namespace Postern.Tests.OAuth.Input;

/// <summary>
/// Every parameter of every endpoint in every wrong form, and exactly how it is answered: docs/refusals.md.
/// </summary>
public sealed class InputTests(InputTown town) : IClassFixture<InputTown>
{
    private const string Head = """
        # What is answered to a parameter that is wrong

        Each row is a parameter of a request that is otherwise as it should be, each column a way to be wrong. `–`:
        there is no such value. Errors come with 400 (`invalid_client` with 401) unless another status is named; *page*:
        a person is told, and nobody is redirected; *asked*: the page that was meant to be passed; *told*: the page is
        shown, and says what is wrong. A parameter with a capital is a header (twice: in one line, with a comma), one in
        braces a part of the path, one with dots a member of an object, one in angle brackets what stands beside the
        request. Some are left out of the request as it should be, and tried with a value that is good elsewhere. After
        each refusal the request as it should be was sent, and accepted. Every refusal of `/api` says in a sentence what
        to do. What browsers say by themselves has its rows at `/signout` and is the same for all forms of ours.

        """;

    private static readonly (Wrong How, string Words)[] Columns =
    [
        (Wrong.Missing, "missing"), (Wrong.Empty, "empty"), (Wrong.Twice, "twice"), (Wrong.Long, "too long"),
        (Wrong.Type, "another type"), (Wrong.Encoding, "no UTF-8"), (Wrong.OtherClient, "another client's"),
        (Wrong.OtherTenant, "another tenant's"), (Wrong.OtherPurpose, "for another purpose"),
        (Wrong.Expired, "expired"), (Wrong.Replayed, "used before"),
    ];

    [Fact, Rfc(6749, "3.1"), Rfc(6749, "5.2"), Rfc(7009, "2.2"), Rfc(9700, "2.4"), Rfc(9700, "4.10")]
    public async Task Every_wrong_parameter_is_answered_by_its_own_error_and_uses_nothing_up()
    {
        var page = new StringBuilder(Head.ReplaceLineEndings("\n"));
        foreach (var (name, make) in Tables.All)
        {
            page.Append($"\n## {name}\n\n| parameter | ").AppendJoin(" | ", Columns.Select(column => column.Words));
            page.Append(" |\n|---|").Append(string.Concat(Columns.Select(_ => "---|"))).Append('\n');
            var table = await make(town);
            foreach (var parameter in table.Parameters)
            {
                page.Append($"| `{parameter}` |");
                foreach (var (how, _) in Columns)
                {
                    // Each on a request of its own; where there is no such value, none need be made.
                    var outcome = table.Has(parameter, how)
                        ? await (await make(town)).TryAsync(parameter, how)
                        : Attempt.None;
                    page.Append($" {outcome} |");
                }

                page.Append('\n');
            }
        }

        page.Append("\n## What reads nothing\n\n| route | because |\n|---|---|\n");
        page.AppendJoin("", Tables.Readless.Select(route => $"| `{route.Key}` | {route.Value} |\n"));
        CommittedFile.Matches(page.ToString(), "../../../../docs/refusals.md");
    }
}
