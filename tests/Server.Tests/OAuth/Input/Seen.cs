using System.Net;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace Postern.Tests.OAuth.Input;

/// <summary>What a person sees on the pages of their own, in a word.</summary>
internal static class Seen
{
    /// <summary>
    /// Sends a form of a page of ours that is not the question: whether it leads where it should, or stays and says
    /// what was done.
    /// </summary>
    public static async Task<string> ActAsync(
        Person person, string path, string then, (string Name, string? Value)[] fields)
    {
        using var answer = await person.SendBodyAsync(path, Wire.Form(fields));
        return answer.Headers.Location?.OriginalString.Split('?')[0] switch
        {
            null => answer.StatusCode is HttpStatusCode.OK ? Attempt.Good : InputTown.Page(answer.StatusCode),
            var next when next == then => Attempt.Good,
            var next => $"goes to {next}",
        };
    }

    /// <summary>Reads one page as it is.</summary>
    public static async Task<IHtmlDocument> ReadAsync(Person person, string path)
    {
        using var answer = await person.GetAsync(path);
        var page = new HtmlParser().ParseDocument(await answer.Content.ReadAsStringAsync());
        page.Body!.SetAttribute("data-status", $"{(int)answer.StatusCode}");
        return page;
    }

    /// <summary>Whether a page is shown as it should be, or tells of something that is wrong.</summary>
    public static string Told(IHtmlDocument page) => page.Body!.GetAttribute("data-status") switch
    {
        not "200" and var status => $"*page* {status}",
        _ when page.QuerySelector("[role=alert]:not([hidden])") is null => Attempt.Good,
        _ => "told",
    };

    /// <summary>Whether a list is shown further down.</summary>
    public static string Turned(IHtmlDocument page) =>
        Told(page) is not Attempt.Good and var word ? word
        : page.QuerySelectorAll(".pager a").Any(link => link.TextContent is "From the beginning") ? Attempt.Good
        : "the beginning";

    /// <summary>How a page for people is answered to a program: shown, or leading where it should.</summary>
    public static string PageWord(Reply reply, string? then = null) => reply.Headers.Location switch
    {
        null => (int)reply.Status is 200 && then is null ? Attempt.Good : InputTown.Page(reply.Status),
        var next when next.OriginalString.Split('?')[0] == then => Attempt.Good,
        var next => $"goes to {next.OriginalString.Split('?')[0]}",
    };
}
