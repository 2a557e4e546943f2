#include "base/json.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <limits>
#include <rapidcheck/gtest.h>
#include <stdexcept>

namespace helios::json {
namespace {

Document doc(std::string_view text, const Limits& limits = {}) {
    auto parsed = Document::parse(text, limits);
    if (!parsed) {
        throw std::runtime_error(std::string(text.substr(0, 100)) + ": " + parsed.error().what);
    }
    return *std::move(parsed);
}

std::string error_of(std::string_view text, const Limits& limits = {}) {
    const auto parsed = Document::parse(text, limits);
    if (parsed) {
        return "accepted";
    }
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
    return parsed.error().what;
}

std::string repeat(std::string_view text, std::size_t n) {
    std::string out;
    out.reserve(text.size() * n);
    for (std::size_t i = 0; i < n; ++i) {
        out += text;
    }
    return out;
}

TEST(Json, reads_every_kind) {
    const Document d =
        doc(R"( {"a":1,"b":"x","c":[true,false,null],"d":{"e":-1.5e-3},"f":"","g":[],"h":{}} )");
    const Value root = d.root();
    ASSERT_TRUE(root.is_object());
    EXPECT_EQ(root.size(), 7u);
    EXPECT_EQ(root.find("a").kind(), Kind::number);
    EXPECT_EQ(root.find("a").text(), "1");
    EXPECT_EQ(root.find("b").text(), "x");
    const Value c = root.find("c");
    ASSERT_TRUE(c.is_array());
    EXPECT_EQ(c.size(), 3u);
    EXPECT_TRUE(c.at(0).boolean());
    EXPECT_EQ(c.at(1).kind(), Kind::boolean);
    EXPECT_FALSE(c.at(1).boolean());
    EXPECT_TRUE(c.at(2).is_null());
    EXPECT_EQ(root.find("d").find("e").text(), "-1.5e-3");
    EXPECT_TRUE(root.find("f").is_string());
    EXPECT_EQ(root.find("f").text(), "");
    EXPECT_EQ(root.find("g").size(), 0u);
    EXPECT_EQ(root.find("h").size(), 0u);
    EXPECT_EQ(root.key_at(3), "d");
    EXPECT_EQ(root.at(3).raw(), R"({"e":-1.5e-3})");
}

TEST(Json, absent_values_are_harmless) {
    const Document d = doc(R"({"a":[1],"s":"x"})");
    for (const Value absent :
         {Value(), d.root().find("b"), d.root().find("a").at(1), d.root().find("s").at(0),
          d.root().find("a").find("x"), d.root().find("b").find("c").at(7)}) {
        EXPECT_FALSE(absent.present());
        EXPECT_FALSE(absent);
        EXPECT_FALSE(absent.is_null());
        EXPECT_EQ(absent.raw(), "");
        EXPECT_EQ(absent.text(), "");
        EXPECT_EQ(absent.size(), 0u);
        EXPECT_EQ(absent.key_at(0), "");
        EXPECT_FALSE(absent.boolean());
        EXPECT_FALSE(absent.has_duplicate("x"));
        EXPECT_FALSE(absent.has_duplicate_keys());
        EXPECT_EQ(canonical(absent), "");
    }
    EXPECT_EQ(d.root().find("a").key_at(0), "");
    EXPECT_DEATH(Value().kind(), "absent");
}

TEST(Json, raw_is_exactly_what_was_written) {
    const Document d = doc("\n{ \"a\" : [ 1 , 2.50 ] , \"b\\n\" : \"x\\u0041\" ,\"c\":{ } }\t\r");
    EXPECT_EQ(d.root().raw(), "{ \"a\" : [ 1 , 2.50 ] , \"b\\n\" : \"x\\u0041\" ,\"c\":{ } }");
    EXPECT_EQ(d.root().find("a").raw(), "[ 1 , 2.50 ]");
    EXPECT_EQ(d.root().find("a").at(1).raw(), "2.50");
    EXPECT_EQ(d.root().find("b\n").raw(), "\"x\\u0041\"");
    EXPECT_EQ(d.root().find("b\n").text(), "xA");
    EXPECT_EQ(d.root().find("c").raw(), "{ }");
}

TEST(Json, root_may_be_a_scalar) {
    EXPECT_EQ(doc(" \"x\" ").root().text(), "x");
    EXPECT_EQ(doc("0").root().text(), "0");
    EXPECT_TRUE(doc("null").root().is_null());
    EXPECT_EQ(doc("true").root().size(), 0u);
}

TEST(Json, views_outlive_moves_of_the_document) {
    Document first = doc(R"({"a":"\u0078y"})");
    const Value a = first.root().find("a");
    Document second = std::move(first);
    EXPECT_EQ(a.text(), "xy");
    Document third = doc("1");
    third = std::move(second);
    EXPECT_EQ(a.text(), "xy");
    EXPECT_EQ(a.raw(), R"("\u0078y")");
}

TEST(Json, numbers_are_kept_as_written) {
    for (const std::string_view n : {"0", "-0", "-0.0", "1e400", "-1E+400", "9007199254740993",
                                     "12.50", "1e-9", "1234567890123456789012345678901234567890",
                                     "0.10000000000000000000000000000000000000000001"}) {
        const Document d = doc(n);
        EXPECT_TRUE(d.root().is_number()) << n;
        EXPECT_EQ(d.root().text(), n);
        EXPECT_EQ(d.root().raw(), n);
        const std::string inside = "[" + std::string(n) + "]";
        EXPECT_EQ(doc(inside).root().at(0).text(), n);
    }
}

TEST(Json, refuses_malformed_numbers) {
    for (const std::string n :
         {"01",  "-01",      "00",        "+1",   ".5",    "5.",       "-",     "--1",
          "1e",  "1e+",      "1E-",       "1.e5", "1.5.2", "0x10",     "1_000", "1,299.00",
          "NaN", "Infinity", "-Infinity", "nan",  "1e5.5", "\xd9\xa1", "1 2",   "-a"}) {
        EXPECT_NE(error_of(n), "accepted") << n;
        EXPECT_NE(error_of("{\"a\":" + n + "}"), "accepted") << n;
    }
}

TEST(Json, unescapes_strings) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {R"("")", ""},
        {R"("plain")", "plain"},
        {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
        {R"("\u0041\u00e9\u20AC")", "A\xc3\xa9\xe2\x82\xac"},
        {R"("\ud83d\ude00!")", "\xf0\x9f\x98\x80!"},
        {R"("\uDBFF\uDFFF")", "\xf4\x8f\xbf\xbf"},
        {R"("a\u0000b")", std::string_view("a\0b", 3)},
        {"\"\xc3\xa9\xf0\x9f\x98\x80\x7f\"", "\xc3\xa9\xf0\x9f\x98\x80\x7f"},
        {R"("exactly-sixteen!\n and more than sixteen bytes after it")",
         "exactly-sixteen!\n and more than sixteen bytes after it"},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(doc(text).root().text(), expected) << text;
        const Document object = doc("{" + std::string(text) + ":" + std::string(text) + "}");
        EXPECT_EQ(object.root().key_at(0), expected);
        EXPECT_EQ(object.root().find(expected).text(), expected);
    }
}

TEST(Json, refuses_malformed_strings) {
    for (const std::string_view s : {R"(")",
                                     R"("abc)",
                                     R"("\)",
                                     R"("\")",
                                     R"("\x41")",
                                     R"("\u")",
                                     R"("\u12")",
                                     R"("\u12g4")",
                                     R"("\u 123")",
                                     R"("\ud83d")",
                                     R"("\ud83dx")",
                                     R"("\ud83d\n")",
                                     R"("\ud83d\ud83d")",
                                     R"("\ud83d\u0041")",
                                     R"("\ude00")",
                                     R"("\ude00\ud83d")",
                                     R"('single')",
                                     R"("\u+123")",
                                     "\"line\nbreak\"",
                                     "\"tab\t\"",
                                     "\"esc\x1b\"",
                                     "\"\x01\"",
                                     R"("\N")",
                                     R"("\'")"}) {
        EXPECT_NE(error_of(s), "accepted") << s;
    }
    EXPECT_NE(error_of(std::string_view("\"a\0b\"", 5)).find("control character"),
              std::string::npos);
    for (int c = 0; c < 0x20; ++c) {
        const std::string s = "\"0123456789" + std::string(1, static_cast<char>(c)) + "\"";
        EXPECT_NE(error_of(s).find("control character in a string at byte 11"), std::string::npos)
            << c;
    }
}

TEST(Json, refuses_invalid_utf8_and_names_the_byte) {
    for (const std::string_view s :
         {"\xff", "\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80",
          "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82",
          "\xf0\x9f\x98", "\xe2(\xa1"}) {
        EXPECT_EQ(error_of("{\"k\":\"" + std::string(s) + "\"}"), "JSON: invalid UTF-8 at byte 6");
        EXPECT_EQ(error_of("{\"" + std::string(s) + "\":1}"), "JSON: invalid UTF-8 at byte 2");
    }
    EXPECT_NE(error_of("\xef\xbb\xbf{}"), "accepted");
    EXPECT_EQ(Document::parse("\xef\xbb\xbf{}").error().hint, "remove the byte order mark");
    EXPECT_NE(error_of("{\"a\":\xc3\xa9}"), "accepted");
}

TEST(Json, refuses_malformed_structure) {
    for (const std::string_view s : {"",
                                     " ",
                                     "{",
                                     "}",
                                     "[",
                                     "]",
                                     "{]",
                                     "[}",
                                     "[1,]",
                                     "[,1]",
                                     "[1,,2]",
                                     "[1 2]",
                                     "{\"a\"}",
                                     "{\"a\":}",
                                     "{\"a\":1,}",
                                     "{,\"a\":1}",
                                     "{\"a\":1 \"b\":2}",
                                     "{a:1}",
                                     "{1:2}",
                                     "{\"a\" 1}",
                                     "{\"a\"::1}",
                                     "{\"a\":1}}",
                                     "[[]",
                                     "[]]",
                                     "{}{}",
                                     "{} x",
                                     "1 1",
                                     "nul",
                                     "nulll",
                                     "True",
                                     "tru",
                                     "falsey",
                                     "[tru]",
                                     "// c\n1",
                                     "[1/*c*/]",
                                     "{\"a\":1]",
                                     "[\"a\":1]",
                                     "\xc2\xa0[]",
                                     "\v[]",
                                     "\f1",
                                     "undefined",
                                     "{\"a\":{\"b\":[1,{\"c\":}]}}",
                                     ",",
                                     ":",
                                     "{:}",
                                     "{null:1}"}) {
        EXPECT_NE(error_of(s), "accepted") << s;
    }
    for (const std::string& s :
         {std::string("{}\0", 3), std::string("\0", 1), std::string("[1,\0]", 5),
          std::string("\0{}", 3), std::string("1\0", 2),
          std::string("{}") + std::string(40, '\0')}) {
        EXPECT_NE(error_of(s), "accepted");
    }
}

TEST(Json, errors_name_the_byte) {
    EXPECT_EQ(error_of("{\"a\":1,}"), "JSON: a comma before the closing bracket at byte 7");
    EXPECT_EQ(error_of("{\"a\":01}"), "JSON: a number with a leading zero at byte 6");
    EXPECT_EQ(error_of("[1, 2"), "JSON: the document ends early at byte 5");
    EXPECT_EQ(error_of("{} x"), "JSON: expected the end of the document at byte 3");
    EXPECT_EQ(error_of(""), "JSON: the document ends early at byte 0");
}

TEST(Json, every_truncation_of_a_document_is_refused) {
    const std::string whole =
        R"({"source":"aws","payload":{"orderId":"ORD-\u00e9\"","items":[{"qty":2,"price":12.50},true,null]},"n":-1.5e+3})";
    ASSERT_TRUE(Document::parse(whole));
    for (std::size_t n = 0; n < whole.size(); ++n) {
        // A copy of its own size, so that a read past its end is seen by the address sanitizer.
        const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
        EXPECT_FALSE(Document::parse(std::string_view(cut.data(), cut.size()))) << n;
    }
}

TEST(Json, keeps_and_names_duplicate_keys) {
    const Document d = doc(R"({"a":1,"b":2,"\u0061":3,"c":{"x":1,"x":2}})");
    EXPECT_EQ(d.root().size(), 4u);
    EXPECT_EQ(d.root().find("a").text(), "1");
    EXPECT_EQ(d.root().at(2).text(), "3");
    EXPECT_TRUE(d.root().has_duplicate("a"));
    EXPECT_FALSE(d.root().has_duplicate("b"));
    EXPECT_FALSE(d.root().has_duplicate("z"));
    EXPECT_TRUE(d.root().has_duplicate_keys());
    EXPECT_TRUE(d.root().find("c").has_duplicate_keys());
    EXPECT_FALSE(doc(R"({"c":{"x":1,"x":2}})").root().has_duplicate_keys());
    EXPECT_FALSE(doc(R"([1,1])").root().has_duplicate_keys());
    EXPECT_TRUE(doc(R"({"":1,"":2})").root().has_duplicate_keys());
    for (const int n : {16, 17, 40}) {
        std::string text = "{";
        for (int i = 0; i < n; ++i) {
            text += "\"k" + std::to_string(i) + "\":0,";
        }
        EXPECT_FALSE(doc(text + "\"x\":0}").root().has_duplicate_keys()) << n;
        EXPECT_TRUE(doc(text + "\"k0\":0}").root().has_duplicate_keys()) << n;
    }
}

TEST(Json,
     hostile_objects_are_not_quadratic) {  // at 200,000 members anything quadratic takes minutes
    std::string text = "{";
    for (int i = 0; i < 200'000; ++i) {
        text += "\"some-rather-long-key-" + std::to_string(i) + "\":0,";
    }
    const Document d = doc(text + "\"last\":1}");
    EXPECT_EQ(d.root().size(), 200'001u);
    EXPECT_FALSE(d.root().has_duplicate_keys());
    EXPECT_EQ(d.root().find("last").text(), "1");
    EXPECT_EQ(canonical(d.root()).size(), d.root().raw().size());
    long sum = 0;
    for (std::size_t i = 0; i < d.root().size(); ++i) {
        sum += static_cast<long>(d.root().at(i).text().size());
    }
    EXPECT_EQ(sum, 200'001);
}

TEST(Json, depth_is_limited_not_the_stack) {
    EXPECT_NE(error_of(repeat("[", 512) + repeat("]", 512), Limits{.depth_max = 511}), "accepted");
    EXPECT_EQ(doc(repeat("[", 512) + repeat("]", 512)).root().size(), 1u);
    EXPECT_EQ(error_of(repeat("[", 513) + repeat("]", 513)),
              "JSON: nested deeper than allowed at byte 512");
    EXPECT_EQ(error_of(repeat("[", 10'000) + repeat("]", 10'000)),
              "JSON: nested deeper than allowed at byte 512");
    EXPECT_NE(error_of(repeat("{\"a\":", 10'000) + "1" + repeat("}", 10'000)).find("nested deeper"),
              std::string::npos);
    EXPECT_NE(error_of(repeat("[", 1'000'000)).find("nested deeper"), std::string::npos);
    EXPECT_TRUE(doc("0", Limits{.depth_max = 0}).root().is_number());
    EXPECT_NE(error_of("[]", Limits{.depth_max = 0}), "accepted");

    const Document deep = doc(repeat("{\"a\":[", 300'000) + "7" + repeat("]}", 300'000),
                              Limits{.depth_max = 1'000'000});
    EXPECT_EQ(canonical(deep.root()), deep.root().raw());
    Value v = deep.root();
    while (v.size() > 0) {
        v = v.at(0);
    }
    EXPECT_EQ(v.text(), "7");
}

TEST(Json, nodes_are_limited) {
    EXPECT_TRUE(Document::parse("[1,2,3]", Limits{.nodes_max = 4}));
    EXPECT_NE(error_of("[1,2,3]", Limits{.nodes_max = 3}).find("more values than allowed"),
              std::string::npos);
    EXPECT_TRUE(Document::parse(R"({"a":1})", Limits{.nodes_max = 3}));
    EXPECT_FALSE(Document::parse(R"({"a":1})", Limits{.nodes_max = 2}));
    EXPECT_FALSE(Document::parse("1", Limits{.nodes_max = 0}));
    EXPECT_NE(error_of("[" + repeat("0,", 8 << 20) + "0]").find("more values than allowed"),
              std::string::npos);
}

TEST(Json, large_documents_are_fine) {
    const Document text = doc("\"" + std::string(16 << 20, 'x') + "\"");
    EXPECT_EQ(text.root().text().size(), std::size_t{16} << 20);
    const std::string event =
        R"({"source":"aws","eventType":"OrderPlaced","payload":{"orderId":"ORD-1","total":"12.50"}})";
    const Document batch = doc("[" + repeat(event + ",", 4'999) + event + "]");
    ASSERT_EQ(batch.root().size(), 5'000u);
    for (std::size_t i = 0; i < batch.root().size(); ++i) {
        ASSERT_EQ(batch.root().at(i).raw(), event);
    }
}

/// Lenient: kind, offset and words of the document's first flaw; "" if it has none; "refused: …" if
/// it is no document.
std::string flaw_of(std::string_view text, const Limits& limits = {}) {
    static constexpr std::string_view kinds[] = {"text", "token", "depth", "count"};
    const auto parsed = Document::parse_lenient(text, limits);
    if (!parsed) {
        return "refused: " + parsed.error().what;
    }
    const auto flaw = parsed->root().flaw();
    return flaw ? std::string(kinds[static_cast<std::size_t>(flaw->kind)]) + " " +
                      std::to_string(flaw->offset) + " " + flaw->what
                : "";
}

TEST(JsonLenient, notes_what_is_wrong_inside_a_value) {
    EXPECT_EQ(flaw_of(R"({"a":"\u00e9\ud83d\ude00","b":[1,-0.5e3,true,null]})"), "");
    EXPECT_EQ(flaw_of(R"({"a":"\ud83d"})"), "text 12 a high surrogate without a low one");
    EXPECT_EQ(flaw_of(R"({"a":"\udc00"})"), "text 12 a low surrogate without a high one");
    EXPECT_EQ(flaw_of(R"({"a":"\ud83d\u0041"})"), "text 18 a high surrogate without a low one");
    EXPECT_EQ(flaw_of(R"({"a":"\ud83d\ud83d\ude00"})"),
              "text 18 a high surrogate without a low one");
    EXPECT_EQ(flaw_of(R"({"a":"\x41"})"), "text 7 an unknown escape in a string");
    EXPECT_EQ(flaw_of(R"({"a":"\u12"})"), "text 10 expected four hexadecimal digits after \\u");
    EXPECT_EQ(flaw_of("{\"a\":\"x\ny\"}"), "text 7 a control character in a string");
    EXPECT_EQ(flaw_of(std::string_view("{\"a\":\"x\0y\"}", 11)),
              "text 7 a control character in a string");
    EXPECT_EQ(flaw_of("{\"a\":\"x\xff\"}"), "text 7 invalid UTF-8");
    EXPECT_EQ(flaw_of("{\"a\":\"\xc0\xaf\"}"), "text 6 invalid UTF-8") << "overlong";
    EXPECT_EQ(flaw_of("{\"a\":\"\xed\xa0\xbd\"}"), "text 6 invalid UTF-8") << "a surrogate";
    EXPECT_EQ(flaw_of("{\"a\":\"\xe2\x82\"}"), "text 6 invalid UTF-8") << "cut short";
    EXPECT_EQ(flaw_of("{\"\xff\":1}"), "text 2 invalid UTF-8") << "in a name";
    EXPECT_EQ(flaw_of(R"([NaN])"), "token 1 not a JSON value");
    EXPECT_EQ(flaw_of(R"([01])"), "token 1 a number with a leading zero");
    EXPECT_EQ(flaw_of(R"([1.])"), "token 1 expected a digit after the point");
    EXPECT_EQ(flaw_of(R"([truely])"), "token 1 not a JSON value");
    EXPECT_EQ(flaw_of("[\xff\xfe]"), "token 1 not a JSON value");
}

TEST(JsonLenient, the_structure_must_hold) {
    for (const std::string_view text :
         {"",        "{",       "[",        "[1",         "[1,",       "[1,]",    "[,1]",
          "[1 2]",   "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",     "{'a':1}", "[\"a]",
          "[\"\\",   "[\"\\u",  "[\"\\\"]", "[1}",        "{\"a\":1]", "[] []",   "nonsense here",
          "[tru\"e]"}) {
        EXPECT_EQ(flaw_of(text).substr(0, 8), "refused:") << text;
        EXPECT_NE(error_of(text), "accepted") << text;
    }
    const Limits shallow{2, 100};
    for (const std::string_view text : {"[[[[", "[[[[1,]]]]", "[[[{\"a\":1,}]]]", "[[[{\"a\"}]]]",
                                        "[[[[1 2]]]]", "[[[[1}]]]", "[[[\"x]]]", "[[[\"\\"}) {
        EXPECT_EQ(flaw_of(text, shallow).substr(0, 8), "refused:")
            << text << ": too deep to be looked at, and broken";
    }
}

TEST(JsonLenient, one_elements_flaw_is_not_its_neighbours) {
    const std::string text =
        R"([{"a":"good"},{"a":"\ud83d","b":"x"},[1,NaN],[[[[{"deep":[]},{}]]]],{"a":"last","\udc00":2}])";
    const auto parsed = Document::parse_lenient(text, {3, 100});
    ASSERT_TRUE(parsed);
    const Value root = parsed->root();
    ASSERT_EQ(root.size(), 5u);
    EXPECT_FALSE(root.at(0).flaw());
    EXPECT_EQ(root.at(0).find("a").text(), "good");
    ASSERT_TRUE(root.at(1).flaw());
    EXPECT_EQ(root.at(1).flaw()->offset, 12u) << "from the element's first byte";
    EXPECT_EQ(root.at(1).raw(), R"({"a":"\ud83d","b":"x"})");
    EXPECT_EQ(root.at(1).find("a").text(), "") << "a flawed string reads as empty";
    EXPECT_TRUE(root.at(1).find("a").flaw());
    EXPECT_EQ(root.at(1).find("b").text(), "x");
    EXPECT_FALSE(root.at(1).find("b").flaw());
    EXPECT_EQ(root.at(2).flaw()->kind, Flaw::Kind::token);
    EXPECT_EQ(root.at(2).at(1).text(), "");
    EXPECT_EQ(root.at(3).flaw()->kind, Flaw::Kind::depth);
    EXPECT_EQ(root.at(3).raw(), R"([[[[{"deep":[]},{}]]]])");
    EXPECT_EQ(root.at(3).at(0).at(0).size(), 1u);
    EXPECT_EQ(root.at(3).at(0).at(0).at(0).size(), 0u) << "nothing below the limit";
    EXPECT_EQ(root.at(4).find("a").text(), "last");
    EXPECT_EQ(root.at(4).flaw()->kind, Flaw::Kind::text);
}

TEST(JsonLenient, limits_hold_for_each_element) {
    EXPECT_EQ(flaw_of("[[1,2],[3,4],[5,6]]", {2, 3}), "") << "nine values in all, three in each";
    const auto parsed = Document::parse_lenient(R"([[1,2],[3,[NaN],"\ud800",4],[5,6]])", {2, 3});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->root().size(), 3u);
    EXPECT_FALSE(parsed->root().at(0).flaw());
    EXPECT_EQ(parsed->root().at(1).flaw()->kind, Flaw::Kind::count);
    EXPECT_EQ(parsed->root().at(1).size(), 0u);
    EXPECT_EQ(parsed->root().at(1).raw(), R"([3,[NaN],"\ud800",4])");
    EXPECT_EQ(parsed->root().at(2).at(1).text(), "6");
    EXPECT_EQ(flaw_of(R"({"a":[1,2,3]})", {9, 4}), "count 0 more values than allowed");
    EXPECT_EQ(flaw_of(R"({"a":[1,2,3})", {9, 4}).substr(0, 8), "refused:");
    EXPECT_EQ(flaw_of("[" + repeat("[", 3) + repeat("]", 3) + "]", {3, 100}), "")
        << "the array around is nobody's level";
    const std::string deep = repeat("[", 1'000'000) + repeat("]", 1'000'000);
    EXPECT_EQ(flaw_of(deep), "depth 513 nested deeper than allowed");
    EXPECT_EQ(flaw_of(repeat("{\"a\":", 1'000'000)).substr(0, 8), "refused:");
}

TEST(Json, canonical_is_equal_for_equal_content) {
    EXPECT_EQ(canonical(doc(R"( { "b" : 1 , "a" : [ 2 , {"d":null,"c":"\u0041\/\n"} ] } )").root()),
              R"({"a":[2,{"c":"A/\n","d":null}],"b":1})");
    EXPECT_EQ(canonical(doc(R"({"a":1.0})").root()), R"({"a":1.0})");
    EXPECT_NE(canonical(doc(R"({"a":1.0})").root()), canonical(doc(R"({"a":1})").root()));
    EXPECT_EQ(canonical(doc(R"({"b":1,"a":2,"b":0,"a":1})").root()),
              R"({"a":2,"a":1,"b":1,"b":0})");
    EXPECT_EQ(canonical(doc(R"({"aa":1,"a":2,"B":3,"":4,"\u00e9":5})").root()),
              "{\"\":4,\"B\":3,\"a\":2,\"aa\":1,\"\xc3\xa9\":5}");
    EXPECT_EQ(canonical(doc("[]").root()), "[]");
    EXPECT_EQ(canonical(doc("{ }").root()), "{}");
    EXPECT_EQ(canonical(doc(R"("\u0000\u001f\u007f")").root()), "\"\\u0000\\u001f\x7f\"");
    EXPECT_EQ(canonical(doc(R"({"a":{"z":1,"y":[]}})").root().find("a")), R"({"y":[],"z":1})");
}

TEST(Json, append_string_escapes_minimally_and_repairs_utf8) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", "\"\""},
        {"a/b", "\"a/b\""},
        {"\"\\\b\f\n\r\t\x01", R"("\"\\\b\f\n\r\t\u0001")"},
        {std::string_view("\0", 1), R"("\u0000")"},
        {"\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
        {"a\xff"
         "b",
         "\"a\xef\xbf\xbd"
         "b\""},
        {"\xc3", "\"\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xc3\"", "\"\xef\xbf\xbd\\\"\""},
    };
    for (const auto& [text, expected] : cases) {
        std::string out;
        append_string(out, text);
        EXPECT_EQ(out, expected);
    }
}

TEST(JsonWriter, puts_commas_where_they_belong) {
    Writer w;
    w.begin_object()
        .field("a", "x")
        .field("n", 3)
        .field("big", std::numeric_limits<std::uint64_t>::max())
        .field("yes", true);
    w.key("list")
        .begin_array()
        .number(-1)
        .null()
        .begin_array()
        .end_array()
        .begin_object()
        .end_object()
        .string("s")
        .boolean(false)
        .end_array();
    w.key("o")
        .begin_object()
        .end_object()
        .key("r")
        .raw("{\"x\":1}")
        .key("d")
        .real(0.1)
        .key("last")
        .string("q\"")
        .end_object();
    EXPECT_EQ(
        w.take(),
        R"({"a":"x","n":3,"big":18446744073709551615,"yes":true,"list":[-1,null,[],{},"s",false],)"
        R"("o":{},"r":{"x":1},"d":0.1,"last":"q\""})");
}

TEST(JsonWriter, writes_reals_that_read_back) {
    for (const double v :
         {0.0, -0.0, 1.0, 0.1, 1e300, 5e-324, -1.7976931348623157e308, 123456789.125}) {
        Writer w;
        w.real(v);
        EXPECT_EQ(std::strtod(w.view().c_str(), nullptr), v);
        EXPECT_TRUE(Document::parse(w.view())) << w.view();
        EXPECT_EQ(w.view().find_first_of("eE"), std::string::npos)
            << w.view() << ": people read it, and not all programs read exponents";
    }
    Writer w;
    w.begin_array()
        .real(std::numeric_limits<double>::quiet_NaN())
        .real(std::numeric_limits<double>::infinity())
        .number(std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(w.end_array().view(), "[null,null,-9223372036854775808]");
}

/// A random document, written with random whitespace and escapes; `depth` bounds nesting.
std::string random_json(int depth) {
    const auto space = [] { return *rc::gen::element<std::string>("", "", " ", "\n\t"); };
    const auto string = [] {
        const auto pieces = *rc::gen::container<std::vector<std::string>>(
            rc::gen::element<std::string>("a", "key", "\\n", "\\u0041", "\\ud83d\\ude00",
                                          "\xc3\xa9", "0123456789abcdef", "\\\\", "\\u0000"));
        std::string out = "\"";
        for (const auto& piece : pieces) {
            out += piece;
        }
        return out + "\"";
    };
    const int kind = *rc::gen::inRange(0, depth > 0 ? 5 : 3);
    if (kind == 0) {
        return string();
    }
    if (kind == 1) {
        return *rc::gen::element<std::string>("0", "-1", "12.50", "1e400", "9007199254740993");
    }
    if (kind == 2) {
        return *rc::gen::element<std::string>("true", "false", "null");
    }
    std::string out = kind == 3 ? "[" : "{";
    const int n = *rc::gen::inRange(0, 5);
    for (int i = 0; i < n; ++i) {
        if (i > 0) {
            out += "," + space();
        }
        if (kind == 4) {
            out += string() + space() + ":" + space();
        }
        out += random_json(depth - 1) + space();
    }
    return out + (kind == 3 ? "]" : "}");
}

/// Rebuilds the document through the public view and the writer.
void rewrite(Writer& w, Value v) {
    switch (v.kind()) {
        case Kind::object:
            w.begin_object();
            for (std::size_t i = 0; i < v.size(); ++i) {
                w.key(v.key_at(i));
                rewrite(w, v.at(i));
            }
            w.end_object();
            return;
        case Kind::array:
            w.begin_array();
            for (std::size_t i = 0; i < v.size(); ++i) {
                rewrite(w, v.at(i));
            }
            w.end_array();
            return;
        case Kind::string:
            w.string(v.text());
            return;
        default:
            w.raw(v.raw());
    }
}

RC_GTEST_PROP(JsonProperty, canonical_is_a_fixed_point_and_ignores_layout, ()) {
    const std::string text = random_json(4);
    const Document d = doc(text);
    RC_ASSERT(d.root().raw() == text);
    const std::string once = canonical(d.root());
    RC_ASSERT(canonical(doc(once).root()) == once);
    Writer w;
    rewrite(w, d.root());
    RC_ASSERT(canonical(doc(w.view()).root()) == once);
}

RC_GTEST_PROP(JsonProperty, one_wrong_byte_never_breaks_the_reader, ()) {
    std::string text = random_json(3);
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    text[at] = *rc::gen::arbitrary<char>();
    const auto parsed = Document::parse(text);
    if (parsed) {
        RC_ASSERT(canonical(doc(canonical(parsed->root())).root()) == canonical(parsed->root()));
    } else {
        RC_ASSERT(parsed.error().kind == ErrorKind::invalid);
    }
}

RC_GTEST_PROP(JsonProperty, an_element_has_a_flaw_exactly_if_it_is_no_document, ()) {
    std::string text = "[" + random_json(3) + "," + random_json(3) + "]";
    const std::string_view bytes(
        "\"\\u{}[],:\x00\x1f\xff\xc3\xed\xa0"
        "d0e-tn ",
        22);
    for (auto n = *rc::gen::inRange(1, 4); n > 0; --n) {
        text[*rc::gen::inRange<std::size_t>(1, text.size())] =
            bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())];
    }
    const Limits limits{4, 12};
    const auto lenient = Document::parse_lenient(text, limits);
    if (!lenient) {
        RC_ASSERT(!Document::parse(text).has_value());
        return;
    }
    for (std::size_t i = 0; i < lenient->root().size(); ++i) {
        const Value item = lenient->root().at(i);
        const auto alone = Document::parse(item.raw(), limits);
        RC_ASSERT(alone.has_value() == !item.flaw());
        if (alone) {
            RC_ASSERT(canonical(alone->root()) == canonical(item));
        }
    }
}

TEST(JsonWrite, every_byte_in_every_place_of_a_text_is_escaped_or_copied) {
    for (std::size_t size = 1; size <= 40; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (const auto& [byte, written] :
                 {std::pair('"', "\\\""), std::pair('\\', "\\\\"), std::pair('\n', "\\n"),
                  std::pair('\0', "\\u0000"), std::pair('\x1f', "\\u001f"), std::pair(' ', " "),
                  std::pair('!', "!"), std::pair('#', "#"), std::pair('\x7f', "\x7f"),
                  std::pair('\x80', "\xef\xbf\xbd"), std::pair('\xff', "\xef\xbf\xbd")}) {
                std::string text(size, 'a');
                text[at] = byte;
                std::string out;
                append_string(out, text);
                EXPECT_EQ(out, '"' + std::string(at, 'a') + written +
                                   std::string(size - at - 1, 'a') + '"');
            }
        }
    }
}

}  // namespace
}  // namespace helios::json
