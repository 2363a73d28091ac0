using System.Buffers.Text;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Postern.Approvals;
using Postern.Gateway.Inspect;
using Postern.OAuth.ClientAuth;
using Postern.OAuth.Requests;
using Postern.Platform.Http;

namespace Postern.Tests.OAuth;

/// <summary>Whatever anybody sends, readers answer; and what they accept has one meaning.</summary>
public sealed class ReaderPropertyTests(Town town) : IClassFixture<Town>
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(2000);

    private static readonly Gen<string> AnyName =
        Gen.Elements("client_id", "scope", "resource", "state", "request", "a", "", "id_token", "acr", "values");

    // As it stands in JSON: known ones, and those that are no text.
    private static readonly Gen<string> AnyMember = Gen.Elements(
        "\"client_id\"", "\"scope\"", "\"a\"", "\"\"", "\"id_token\"", "\"acr\"", "\"values\"", "\"typ\"",
        "\"alg\"", "\"kid\"", "\"iss\"", "\"aud\"", "\"\\u0061ud\"", "\"\\ud800\"", "\"acr\\udfff\"");

    private static readonly Gen<string> AnyText = Gen.OneOf(
        Gen.Elements(
            "", "x", "\ud800", "\0", "\u202e", "http://127.0.0.1:1/cb", "https://a.example/", "/", "/x",
            "=?base64?eA==?="),
        ArbMap.Default.GeneratorFor<string>().Select(text => text ?? ""));

    // JSON of every shape, a member twice now and then, nested a little.
    private static readonly Gen<string> AnyJson = Gen.Sized(size => JsonOf(Math.Min(size, 4)));

    private static Gen<string> JsonOf(int depth)
    {
        var plain = Gen.Elements("null", "true", "0", "-1.5e300", "\"x\"", "\"\\ud800\"", "\"\"", "[]", "{}");
        if (depth is 0)
        {
            return plain;
        }

        var inner = JsonOf(depth - 1);
        var members = AnyMember.Zip(inner, (name, value) => $"{name}:{value}");
        return Gen.OneOf(
            plain,
            inner.ListOf().Select(items => $"[{string.Join(',', items.Take(4))}]"),
            members.ListOf().Select(list => $"{{{string.Join(',', list.Take(5))}}}"));
    }

    [Fact, Rfc("OpenID Connect Core", "5.5")]
    public void A_request_for_claims_is_read_or_refused_and_never_names_anything_twice() =>
        Check.One(Many, Prop.ForAll(Arb.From(Gen.OneOf(AnyJson, AnyText)), text =>
            ClaimsRequest.Parse(text) is null || !HasTwice(text)));

    [Fact]
    public void Authorization_details_are_read_or_refused_and_never_name_anything_twice() =>
        Check.One(Many, Prop.ForAll(Arb.From(Gen.OneOf(AnyJson, AnyText)), text =>
            Details.Parse(text) is not { } read
            || (!HasTwice(text) && Details.Parse(read.ToString())!.ToString() == read.ToString())));

    [Fact, Rfc(8725, "3.11")]
    public void A_token_of_others_is_read_in_one_spelling_or_refused() =>
        Check.One(Many, Prop.ForAll(Arb.From(AnyJson.Zip(AnyJson)), pair =>
        {
            var (header, claims) = pair;
            var token = $"{Encoded(header)}.{Encoded(claims)}.AAAA";
            return ForeignToken.Read(token) is not { } read
                ? ForeignToken.Read(token + "=") is null
                : CanBeWritten(read.Claims) && !HasTwice(header)
                    && !HasTwice(claims) && ForeignToken.Read(token + "=") is null
                    && ForeignToken.Read(" " + token) is null && ForeignToken.Read(token + ".") is null;
        }));

    [Fact]
    public void What_is_read_strictly_can_be_looked_at_and_written_and_the_rest_is_nothing() =>
        Check.One(Many, Prop.ForAll(Arb.From(Gen.OneOf(AnyJson, AnyText)), text =>
            StrictJson.Read(text, maxDepth: 16) is not { } read || (CanBeWritten(read) && !HasTwice(text))));

    [Theory]
    [InlineData("{\"a\":{\"\\ud800\":1}}"), InlineData("[\"\\udfff\"]"), InlineData("\"\\ud800\\u0061\"")]
    [InlineData("{\"a\":1,\"\\u0061\":2}"), InlineData("[[[]]]"), InlineData("{} x")]
    public void What_has_no_meaning_or_two_is_not_read(string text) => Assert.Null(StrictJson.Read(text, maxDepth: 2));

    [Fact]
    public void What_is_no_text_as_it_came_is_not_read()
    {
        Assert.Null(StrictJson.Read("\"\ud800\"", maxDepth: 2));
        Assert.Null(StrictJson.Read(new byte[] { (byte)'"', 0xff, (byte)'"' }, maxDepth: 2));
    }

    [Fact]
    public void A_pair_that_is_whole_is_read() =>
        Assert.Equal("\ud83d\ude00", StrictJson.Read("\"\\ud83d\\ude00\"", maxDepth: 2)?.GetString());

    [Fact]
    public void No_text_makes_the_readers_throw() => Check.One(Many, Prop.ForAll(Arb.From(AnyText), text =>
    {
        _ = ForeignToken.Read(text)?.Text("sub");
        _ = ResponseMode.Parse(text);
        _ = UserCode.Read(text);
        _ = RedirectUris.Refusal(text, "https://as.example", allowsPrivateSchemes: true);
        _ = RedirectUris.Match("http://127.0.0.1:1/cb", text);
        _ = Register(text);
        return !Resource.TryParse(text, out var resource)
            || (Resource.TryParse(resource.Value, out var again) && again == resource);
    }));

    [Fact]
    public void A_registration_is_read_or_refused_and_never_names_anything_twice() =>
        Check.One(Many, Prop.ForAll(Arb.From(AnyJson), json =>
            Register(json).Failed(out _, out _) || !HasTwice(json)));

    [Fact]
    public void A_value_in_a_header_means_what_it_was_made_of() =>
        Check.One(Many, Prop.ForAll(Arb.From(AnyText.Where(IsUnicode)), text =>
            HeaderValue.TryDecode(HeaderValue.Encode(text), out var read) && read == text));

    private static readonly X509Certificate2
        Leaf = Authority.SelfSigned("CN=leaf"), Other = Authority.SelfSigned("CN=other");

    // Pieces of what a proxy writes, put together in every way.
    private static readonly Gen<string> AnyHeader = Gen.Elements(
        ":", ",", " ", ";", "\t", "=", "a", "x=1", Convert.ToBase64String(Leaf.RawData), HeaderServer.Encoded(Leaf),
        HeaderServer.Encoded(Other), ":AAAA:", "\ud800", "\0", "?1", "\"x\"").ListOf()
        .Select(parts => string.Concat(parts.Take(8)));

    [Fact, Rfc(9440, "2.1"), Rfc(9440, "2.2"), Rfc(9440, "2.3")]
    public void What_a_proxy_says_of_certificates_is_one_thing_or_nothing() =>
        Check.One(Many, Prop.ForAll(
            Arb.From(AnyHeader.ListOf().Zip(AnyHeader.ListOf(), (leaf, chain) => (leaf, chain))),
            said =>
            {
                StringValues leaf = said.leaf.Take(2).ToArray(), chain = said.chain.Take(2).ToArray();
                var isRead = CertificateHeader.TryRead(leaf, chain, out var shown, out var above);

                // One byte sequence is one certificate, and those above it are those that were written, in their order.
                return !isRead
                    ? shown is null && above is []
                    : (shown is null) == (leaf.Count is 0)
                        && (shown is null || HeaderServer.Encoded(shown) == $"{leaf}".Trim(' ', '\t'))
                        && string.Join(',', above.Select(HeaderServer.Encoded))
                            == string.Join(',', $"{chain}".Split(',').Select(item => item.Trim(' ', '\t')));
            }));

    [Fact]
    public void No_text_in_a_header_makes_the_reader_throw() => Check.One(Many, Prop.ForAll(Arb.From(AnyText), text =>
        !HeaderValue.TryDecode(text, out var read) || read is not null));

    [Fact, Rfc(6749, "3.1")]
    public void A_form_is_read_when_each_parameter_comes_once_and_as_it_came() =>
        Check.One(Many, Prop.ForAll(Arb.From(AnyName.Zip(AnyText.Where(IsUnicode)).ListOf()), list =>
        {
            var fields = list.Where(field => field.Item1 is not "").Take(8).ToList();
            var isRead = !Form.ReadAsync(Posted(fields), default).AsTask().Result.Failed(out _, out var form);
            return isRead == (fields.DistinctBy(field => field.Item1).Count() == fields.Count)
                && (!isRead || fields.TrueForAll(field => (form![field.Item1] ?? "") == field.Item2));
        }));

    [Fact, Rfc(6749, "3.1")]
    public void An_authorization_request_is_read_when_each_parameter_comes_once() =>
        Check.One(Many, Prop.ForAll(Arb.From(AnyName.Zip(AnyText.ListOf()).ListOf()), list =>
        {
            var fields = list.DistinctBy(field => field.Item1)
                .Select(field => KeyValuePair.Create(field.Item1, new StringValues([.. field.Item2.Take(3)])))
                .ToList();
            return AuthorizeRequest.Parse(fields).Failed(out _, out var read)
                || (fields.TrueForAll(field => field.Key is "resource" || field.Value.Count <= 1)
                    && read.State is null or { Length: > 0 });
        }));

    private Result<ClientMetadata> Register(string json) => ClientMetadata.Register(
        Encoding.UTF8.GetBytes(json), "https://as.example", town.Server.Get<AuthMethods>());

    private static DefaultHttpContext Context(string body)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = "POST";
        context.Request.ContentType = "application/x-www-form-urlencoded";
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        return context;
    }

    private static HttpRequest Posted(IEnumerable<(string, string)> fields) =>
        Context(App.Encode(fields.Select(field => (field.Item1, (string?)field.Item2)))).Request;

    private static string Encoded(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static bool IsUnicode(string text) =>
        text.EnumerateRunes().All(rune => rune != Rune.ReplacementChar) && !text.Contains('\0');

    private static bool CanBeWritten(JsonElement element)
    {
        using var json = new Utf8JsonWriter(Stream.Null);
        element.WriteTo(json);
        return true;
    }

    // Read loosely, as somebody else might, and looked through for a name that stands twice.
    private static bool HasTwice(string json)
    {
        using var document = JsonDocument.Parse(json);
        return HasTwice(document.RootElement);
    }

    private static bool HasTwice(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().GroupBy(member => member.Name).Any(group => group.Count() > 1)
            || element.EnumerateObject().Any(member => HasTwice(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().Any(HasTwice),
        _ => false,
    };
}
