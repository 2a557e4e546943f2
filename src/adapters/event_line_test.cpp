#include "adapters/event_line.h"

#include <gtest/gtest.h>

#include "adapters/test_kit.h"
#include "base/time.h"

namespace helios::adapters {
namespace {

const std::string line =
    R"({"source":"aws","eventType":"OrderPlaced","id":"e-1","time":"2026-01-05T10:23:45.120Z","payload":{"orderId":"ORD-1"},"metadata":{"a":1}})";
Adapting one(std::string body) {
    return {adapt_event_line, std::move(body)};
}
Adapting array(std::string body) {
    return {adapt_event_array, std::move(body)};
}
Adapting lines(std::string body) {
    return {adapt_event_lines, std::move(body)};
}

TEST(EventLine, becomes_an_event) {
    const auto a = one("  " + line + "\n");
    ASSERT_TRUE(a.event()) << a.verdict();
    const auto& event = a.event()->event;
    EXPECT_EQ(event.source, "aws");
    EXPECT_EQ(event.scope, "");
    EXPECT_EQ(event.id, "e-1");
    EXPECT_EQ(event.type, "OrderPlaced");
    EXPECT_EQ(event.payload, R"({"orderId":"ORD-1"})");
    EXPECT_EQ(event.metadata, R"({"a":1})");
    EXPECT_EQ(event.time, parse_rfc3339("2026-01-05T10:23:45.120Z")->at);
    EXPECT_EQ(a.event()->raw, line);
}

TEST(EventLine, lenient_where_the_contract_is) {
    EXPECT_EQ(one(replaced(line, "eventType", "type")).event()->event.type, "OrderPlaced");
    EXPECT_EQ(one(replaced(line, R"("metadata")", R"("type":"OrderPlaced","metadata")"))
                  .event()
                  ->event.type,
              "OrderPlaced");
    EXPECT_EQ(
        one(replaced(line, R"("OrderPlaced")", R"(null,"type":"OrderPlaced")")).event()->event.type,
        "OrderPlaced");
    const auto both = one(replaced(line, R"("metadata")", R"("type":"Other","metadata")"));
    ASSERT_TRUE(both.rejection());
    EXPECT_EQ(both.rejection()->reason, "ambiguous_field");
    EXPECT_EQ(both.rejection()->detail, R"(eventType: is "OrderPlaced", but type is "Other")");
    EXPECT_EQ(one(replaced(line, R"("e-1")", "17")).event()->event.id, "17");
    EXPECT_EQ(one(replaced(line, R"("metadata":{"a":1})", R"("metadata":null,"unknown":[1])"))
                  .event()
                  ->event.metadata,
              "{}");
    EXPECT_EQ(one(replaced(line, R"("id":"e-1",)", "")).event()->event.identity,
              model::IdentityKind::content);
    EXPECT_EQ(one(replaced(line, R"("e-1")", R"("../../etc/passwd")")).event()->event.id,
              "../../etc/passwd")
        << "an id is text, never a path";
}

TEST(EventLine, every_error_is_named) {
    const auto a = one("{}");
    ASSERT_TRUE(a.rejection());
    EXPECT_EQ(a.rejection()->reason, "missing_field");
    EXPECT_EQ(a.rejection()->errors,
              (std::vector<std::string>{"source: required, absent", "eventType: required, absent",
                                        "payload: required, absent"}));
    EXPECT_EQ(one(replaced(line, R"({"orderId":"ORD-1"})", "[]")).verdict(), "not_an_object");
    EXPECT_EQ(one(replaced(line, R"({"a":1})", "[]")).verdict(), "not_an_object");
    EXPECT_EQ(one(replaced(line, R"("id":"e-1")", R"("id":"e-1","id":"e-2")")).verdict(),
              "duplicate_key");
    EXPECT_EQ(one(replaced(line, R"("e-1")", '"' + std::string(1025, 'x') + '"')).verdict(),
              "bad_field");
    EXPECT_EQ(one(replaced(line, R"({"orderId":"ORD-1"})", nested(10'000))).verdict(), "too_deep");
    for (const std::string body :
         {"", "[]", "5", "null", "{", "\"text\"", "\x80", "nonsense", "NaN"}) {
        EXPECT_EQ(one(body).verdict(), "400") << body;
    }
}

TEST(EventLine, a_flaw_inside_a_value_is_named_and_the_rest_is_read) {
    const auto with = [](std::string_view value) {
        return replaced(line, R"("ORD-1"})", R"("ORD-1","note":)" + std::string(value) + "}");
    };
    const auto errors = [&](std::string_view value) {
        const auto a = one(with(value));
        return a.rejection() == nullptr
                   ? a.verdict()
                   : a.rejection()->reason + "; " + a.rejection()->errors.at(0);
    };
    EXPECT_EQ(errors(R"("\ud83d")"),
              "bad_text; payload.note: a high surrogate without a low one (byte 130)");
    EXPECT_EQ(errors("\"\xff\""), "bad_text; payload.note: invalid UTF-8 (byte 124)");
    EXPECT_EQ(errors("[{\"x\":\"a\tb\"}]"),
              "bad_text; payload.note[0].x: a control character in a string (byte 131)");
    EXPECT_EQ(errors("{\"\xff\":1}"), "bad_text; payload.note: invalid UTF-8 (byte 125)")
        << "in a name";
    EXPECT_EQ(errors("NaN"), "not_json; payload.note: not a JSON value (byte 123)");
    EXPECT_EQ(errors(nested(600)).substr(0, 18), "too_deep; payload.");
    const auto a = one(with(R"("\ud83d")"));
    EXPECT_EQ(a.rejection()->event_id, "e-1");
    EXPECT_EQ(a.rejection()->event_type, "OrderPlaced");
    EXPECT_EQ(a.rejection()->payload.find("orderId").text(), "ORD-1");
    EXPECT_EQ(a.rejection()->raw, with(R"("\ud83d")"));
    EXPECT_EQ(one(replaced(line, "e-1", "\\udc00")).rejection()->event_id, "")
        << "what is no text is no id";
    EXPECT_EQ(one(with("1" + std::string(10'000, '0'))).verdict(), "accepted")
        << "a number may be as long as it likes";
}

TEST(EventLine, byte_order_marks) {
    EXPECT_EQ(one("\xef\xbb\xbf" + line).event()->raw, line);
    EXPECT_EQ(array("\xef\xbb\xbf[" + line + "]").count(), 1u);
    EXPECT_EQ(lines("\xef\xbb\xbf" + line + "\n" + line).verdict(1), "accepted");
    EXPECT_EQ(one("\xef\xbb\xbf\xef\xbb\xbf" + line).verdict(), "400") << "one";
    EXPECT_EQ(array("[\xef\xbb\xbf" + line + "]").verdict(), "400") << "only at the beginning";
    EXPECT_EQ(
        one(replaced(line, "ORD-1", "\xef\xbb\xbfORD-1")).event()->payload.find("orderId").text(),
        "\xef\xbb\xbfORD-1")
        << "elsewhere it is data";
    std::string wide;
    for (const char c : line) {
        wide.append(1, c).append(1, '\0');
    }
    for (const auto& body : {wide, "\xff\xfe" + wide, std::string(1, '\0') + wide}) {
        ASSERT_TRUE(one(body).refusal());
        EXPECT_EQ(one(body).refusal()->what,
                  "JSON: begins like UTF-16 or UTF-32; only UTF-8 is read");
    }
}

TEST(EventArray, items_in_order) {
    const auto a = array("[" + line + ", 5 ," + replaced(line, "e-1", "e-2") + "]");
    ASSERT_EQ(a.count(), 3u);
    EXPECT_EQ(a.event(0)->event.id, "e-1");
    EXPECT_EQ(a.verdict(1), "not_an_object");
    EXPECT_EQ(a.rejection(1)->raw, "5");
    EXPECT_EQ(a.event(2)->event.id, "e-2");
    EXPECT_EQ(array(line).count(), 1u) << "a single event is a batch of one";
    ASSERT_TRUE(array("[]").outcome<std::vector<Item>>());
    EXPECT_EQ(array("[]").count(), 0u);
    EXPECT_EQ(array(line + "\n" + line).verdict(), "400");
    EXPECT_EQ(array("5").verdict(), "400");
}

TEST(EventArray, one_bad_item_does_not_spoil_the_others) {
    const std::vector<std::pair<std::string, std::string>> bad{
        {replaced(line, "ORD-1", R"(\ud83d\u0041)"), "bad_text"},
        {replaced(line, "ORD-1", "\xed\xa0\xbd"), "bad_text"},
        {replaced(line, "ORD-1", std::string(1, '\0')), "bad_text"},
        {replaced(line, "\"ORD-1\"", "0x10"), "not_json"},
        {replaced(line, R"({"orderId":"ORD-1"})", nested(600)), "too_deep"},
        {"null", "not_an_object"},
        {"\xff", "not_an_object"},
        {"[" + line + "]", "not_an_object"},
        {replaced(line, "source", "\xc0\xaf"), "bad_text"}};
    std::string all;
    for (const auto& [item, reason] : bad) {
        all += item + ",";
        const auto a = array("[" + line + "," + item + " , " + line + "]");
        ASSERT_EQ(a.count(), 3u) << item << a.verdict();
        EXPECT_EQ(a.verdict(0), "accepted") << item;
        EXPECT_EQ(a.verdict(1), reason) << item;
        EXPECT_EQ(a.rejection(1)->raw, item);
        EXPECT_EQ(a.verdict(2), "accepted") << item;
        EXPECT_EQ(lines(line + "\n" + item + "\n" + line).verdict(1),
                  reason == "not_an_object" && item == "\xff" ? "not_json" : reason);
    }
    EXPECT_EQ(array("[" + all + line + "]").count(), bad.size() + 1);
    for (const std::string_view broken :
         {"[{\"a\":\"\xff\"", "[{}", "[{},", "[{},]", "[{} {}]", "[{\"a\"}]"}) {
        EXPECT_EQ(array(std::string(broken)).verdict(), "400") << broken;
    }
}

TEST(EventArray, more_items_than_events_could_be_in_it) {
    const auto numbers = [](std::size_t n, std::string_view end) {
        std::string out;
        for (std::size_t i = 0; i < n; ++i) {
            out.append(1, '1').append(end);
        }
        return out;
    };
    EXPECT_EQ(array("[" + numbers(99'999, ",") + "1]").count(), 100'000u);
    EXPECT_EQ(array("[" + numbers(100'000, ",") + "1]").verdict(), "400");
    EXPECT_EQ(lines(line + "\n" + numbers(100'001, "\r\n")).verdict(), "400");
    EXPECT_EQ(lines(line + "\n" + numbers(1'000, "\n") + std::string(1'000'000, '\n')).count(),
              1'001u);
    std::string events = "[";  // as short as an event can be
    for (int i = 0; i < 110'000; ++i) {
        events += R"({"source":"a","type":"b","payload":{}},)";
    }
    events.back() = ']';
    EXPECT_EQ(array(events).count(), 110'000u) << "no array of events is too long";
}

TEST(EventArray, an_item_is_as_deep_as_one_alone) {
    const auto deep = replaced(line, R"({"orderId":"ORD-1"})", nested(511));
    EXPECT_EQ(one(deep).verdict(), "accepted");
    EXPECT_EQ(array("[" + deep + "]").verdict(), "accepted");
    EXPECT_EQ(array("[" + replaced(line, R"({"orderId":"ORD-1"})", nested(512)) + "]").verdict(),
              "too_deep");
}

TEST(EventLines, a_bad_line_stands_beside_good_ones) {
    const auto a =
        lines("\n" + line + "\r\n  \nnot json\n" + replaced(line, "e-1", "e-2") + "\n[1]\n\xff");
    ASSERT_EQ(a.count(), 5u);
    EXPECT_EQ(a.event(0)->event.id, "e-1");
    EXPECT_EQ(a.verdict(1), "not_json");
    EXPECT_EQ(a.rejection(1)->raw, "not json");
    EXPECT_EQ(a.event(2)->event.id, "e-2");
    EXPECT_EQ(a.verdict(3), "not_an_object");
    EXPECT_EQ(a.rejection(4)->raw, "\xff");
    EXPECT_EQ(lines("not json\nat all").verdict(), "400");
    EXPECT_EQ(lines("1\n2").verdict(), "400");
    ASSERT_TRUE(lines("\n\n").outcome<std::vector<Item>>());
    EXPECT_EQ(lines("\n\n").count(), 0u);
}

TEST(OfflineLine, events_and_controls) {
    const auto with =
        replaced(line, R"("metadata")",
                 R"("receivedAt":"2026-01-05T10:23:46Z","position":"abc","metadata")");
    const auto parsed = parse_offline_line(with);
    const auto* event = std::get_if<EventLine>(&parsed.content);
    ASSERT_TRUE(event);
    ASSERT_TRUE(std::holds_alternative<AdaptedEvent>(event->item));
    EXPECT_EQ(std::get<AdaptedEvent>(event->item).payload.find("orderId").text(), "ORD-1");
    EXPECT_EQ(event->received_at, parse_rfc3339("2026-01-05T10:23:46Z")->at);
    EXPECT_EQ(event->position, "abc");

    const std::string control = R"({"control":"end","at":"2026-01-05T10:23:46Z"})";
    const auto end = parse_offline_line(control);
    ASSERT_TRUE(std::holds_alternative<ControlLine>(end.content));
    EXPECT_EQ(std::get<ControlLine>(end.content).control, "end");
    EXPECT_EQ(std::get<ControlLine>(end.content).object.find("at").text(), "2026-01-05T10:23:46Z");

    const auto reason = [](const std::string& text) {
        const auto bad = parse_offline_line(text);
        return std::get<Rejection>(std::get<EventLine>(bad.content).item).reason;
    };
    EXPECT_EQ(reason("nonsense"), "not_json");
    EXPECT_EQ(reason(nested(10'000)), "too_deep");
    EXPECT_EQ(reason(replaced(with, R"("2026-01-05T10:23:46Z")", R"("soon")")), "bad_time");
    EXPECT_EQ(reason("[]"), "not_an_object");
}

}  // namespace
}  // namespace helios::adapters
