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
    EXPECT_EQ(one(replaced(line, R"("metadata")", R"("type":"Other","metadata")")).event()->event.type, "OrderPlaced")
        << "eventType wins";
    EXPECT_EQ(one(replaced(line, R"("e-1")", "17")).event()->event.id, "17");
    EXPECT_EQ(one(replaced(line, R"("metadata":{"a":1})", R"("metadata":null,"unknown":[1])")).event()->event.metadata, "{}");
    EXPECT_EQ(one(replaced(line, R"("id":"e-1",)", "")).event()->event.identity, model::IdentityKind::content);
    EXPECT_EQ(one(replaced(line, R"("e-1")", R"("../../etc/passwd")")).event()->event.id, "../../etc/passwd")
        << "an id is text, never a path";
}

TEST(EventLine, every_error_is_named) {
    const auto a = one("{}");
    ASSERT_TRUE(a.rejection());
    EXPECT_EQ(a.rejection()->reason, "missing_field");
    EXPECT_EQ(a.rejection()->errors,
              (std::vector<std::string>{"source: required, absent", "eventType: required, absent", "payload: required, absent"}));
    EXPECT_EQ(one(replaced(line, R"({"orderId":"ORD-1"})", "[]")).verdict(), "not_an_object");
    EXPECT_EQ(one(replaced(line, R"({"a":1})", "[]")).verdict(), "not_an_object");
    EXPECT_EQ(one(replaced(line, R"("id":"e-1")", R"("id":"e-1","id":"e-2")")).verdict(), "duplicate_key");
    EXPECT_EQ(one(replaced(line, R"("e-1")", '"' + std::string(1025, 'x') + '"')).verdict(), "bad_field");
    EXPECT_EQ(one(replaced(line, R"({"orderId":"ORD-1"})", nested(10'000))).verdict(), "too_deep");
    for (const std::string body : {"", "[]", "5", "null", "{", "\"text\"", "\x80"}) {
        EXPECT_EQ(one(body).verdict(), "400") << body;
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

TEST(EventLines, a_bad_line_stands_beside_good_ones) {
    const auto a = lines("\n" + line + "\r\n  \nnot json\n" + replaced(line, "e-1", "e-2") + "\n[1]\n\xff");
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
    const auto with = replaced(line, R"("metadata")", R"("receivedAt":"2026-01-05T10:23:46Z","position":"abc","metadata")");
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
