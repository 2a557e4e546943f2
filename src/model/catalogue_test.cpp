#include "model/catalogue.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/position.h"
#include "model/test_event.h"
#include "model/topics.h"

namespace helios::model {
namespace {

Judgement judge(std::string_view type, std::string_view payload) {
    auto document = json::Document::parse(payload);
    EXPECT_TRUE(document.has_value());
    Event event(default_tenant());
    event.type = type;
    return Catalogue::shipped().judge(event, document->root());
}

TEST(Catalogue, accepts_a_complete_order_under_either_spelling) {
    for (const auto* payload : {R"({"orderId":"ORD-1","customerId":"C-7"})",
                                R"({"order_id":"ORD-1","customer_id":"C-7"})"}) {
        const auto judgement = judge("OrderPlaced", payload);
        EXPECT_TRUE(judgement.accepted);
        EXPECT_EQ(judgement.key, "ORD-1");
        EXPECT_EQ(judgement.topic, topic::orders);
        EXPECT_TRUE(judgement.warnings.empty());
    }
}

TEST(Catalogue, first_present_path_wins) {
    EXPECT_EQ(judge("OrderPlaced", R"({"order_id":"B","orderId":"A"})").key, "A");
}

TEST(Catalogue, a_test_event_has_no_key_and_no_rules) {
    const auto judgement = judge(test_event_type, R"({"orderId":{"not":"text"},"time":"?"})");
    EXPECT_TRUE(judgement.accepted);
    EXPECT_EQ(judgement.topic, topic::other);
    EXPECT_EQ(judgement.key, "");
    EXPECT_TRUE(judgement.warnings.empty());
}

TEST(Catalogue, a_null_is_absent) {
    EXPECT_EQ(judge("OrderPlaced", R"({"orderId":null,"order_id":"B"})").key, "B");
}

TEST(Catalogue, an_empty_string_is_absent_on_every_path) {
    EXPECT_EQ(judge("OrderPlaced", R"({"orderId":"","order_id":"","order":{"id":"C"}})").key, "C");
    const auto payment =
        judge("PaymentProcessed", R"({"orderId":"","order_id":"X","amount":"1","timestamp":""})");
    EXPECT_TRUE(payment.accepted) << payment.errors.front();
    EXPECT_EQ(payment.key, "X");
    EXPECT_FALSE(payment.payload_time);
    EXPECT_TRUE(judge("OrderPlaced", R"({"orderId":"A","customerId":"","customer":{"id":"C"}})")
                    .warnings.empty());
    EXPECT_FALSE(judge("PaymentProcessed", R"({"orderId":"A","amount":""})").accepted);
    EXPECT_EQ(judge("OrderPlaced", R"({"orderId":" ","order_id":"X"})").key, " ")
        << "a blank is text";
}

TEST(Catalogue, keys_are_text_as_written) {
    EXPECT_EQ(judge("OrderPlaced", R"({"orderId":"0012"})").key, "0012");
    EXPECT_EQ(judge("OrderPlaced", R"({"orderId":12345678901234567890123})").key,
              "12345678901234567890123");
}

TEST(Catalogue, rejects_an_order_without_its_id) {
    for (const auto* payload : {R"({})", R"({"orderId":""})", R"({"orderId":null})"}) {
        const auto judgement = judge("OrderPlaced", payload);
        EXPECT_FALSE(judgement.accepted) << payload;
        EXPECT_EQ(judgement.reason, "missing_field");
        ASSERT_EQ(judgement.errors.size(), 1u);
        EXPECT_EQ(judgement.errors[0], "orderId: required, absent");
    }
}

TEST(Catalogue, warns_of_a_missing_customer) {
    const auto judgement = judge("OrderPlaced", R"({"orderId":"A"})");
    EXPECT_TRUE(judgement.accepted);
    EXPECT_EQ(judgement.warnings, std::vector<std::string>{"customerId: expected, absent"});
}

TEST(Catalogue, a_payment_needs_amount_and_order) {
    EXPECT_EQ(judge("PaymentProcessed", R"({})").errors.size(), 2u);
    const auto without_amount = judge("PaymentProcessed", R"({"orderId":"A"})");
    EXPECT_FALSE(without_amount.accepted);
    EXPECT_EQ(without_amount.key, "A") << "the DLQ shows the key of what it holds";
    EXPECT_TRUE(judge("PaymentProcessed", R"({"orderId":"A","amount":0})").accepted);
}

TEST(Catalogue, other_types_need_nothing) {
    const auto judgement = judge("CustomerRenamed", R"({"name":"x"})");
    EXPECT_TRUE(judgement.accepted);
    EXPECT_EQ(judgement.topic, topic::other);
    EXPECT_EQ(judgement.key, "");
}

TEST(Catalogue, duplicate_keys_on_a_catalogue_path_are_quarantined) {
    const auto judgement = judge("OrderPlaced", R"({"orderId":"A","orderId":"B"})");
    EXPECT_FALSE(judgement.accepted);
    EXPECT_EQ(judgement.reason, "duplicate_key");
    EXPECT_EQ(judgement.errors.size(), 1u);
    EXPECT_FALSE(judge("PaymentProcessed", R"({"orderId":"A","amount":1,"amount":2})").accepted);
    EXPECT_TRUE(judge("OrderPlaced", R"({"orderId":"A","note":1,"note":2})").accepted)
        << "a path nobody reads";
}

TEST(Catalogue, a_time_that_cannot_be_taken_refuses_nothing) {
    for (const std::string time :
         {R"("2201-01-01T00:00:00Z")", "1e400", "-1", R"("soon")", "1767607425", "true", "{}"}) {
        const auto judgement =
            judge("OrderPlaced", R"({"orderId":"A","customerId":"C","timestamp":)" + time + "}");
        EXPECT_TRUE(judgement.accepted) << time;
        EXPECT_FALSE(judgement.payload_time) << time;
        ASSERT_EQ(judgement.warnings.size(), 1u) << time;
        EXPECT_TRUE(judgement.warnings[0].starts_with("timestamp: " + time))
            << judgement.warnings[0];
    }
    EXPECT_TRUE(
        judge("OrderPlaced", R"({"orderId":"A","customerId":"C","timestamp":""})").warnings.empty())
        << "absent";
    const auto good = judge("OrderPlaced", R"({"orderId":"A","timestamp":1767608625120})");
    ASSERT_TRUE(good.payload_time.has_value());
    EXPECT_EQ(format_rfc3339(good.payload_time->at), "2026-01-05T10:23:45.120Z");
}

TEST(Catalogue, rejects_keys_that_are_no_text) {
    EXPECT_EQ(judge("OrderPlaced", R"({"orderId":{"id":1}})").reason, "bad_key");
    EXPECT_EQ(judge("OrderPlaced", R"({"orderId":true})").reason, "bad_key");
    EXPECT_EQ(judge("OrderPlaced", "{\"orderId\":\"" + std::string(1025, 'x') + "\"}").reason,
              "bad_key");
    const auto with_nul = judge("OrderPlaced", R"({"orderId":"A\u0000B","customerId":"C"})");
    EXPECT_FALSE(with_nul.accepted);
    EXPECT_EQ(with_nul.reason, "bad_key");
    EXPECT_EQ(with_nul.errors,
              std::vector<std::string>{"orderId: contains NUL, so that no URL could name it"});
    EXPECT_EQ(with_nul.key, "");
    EXPECT_TRUE(judge("OrderPlaced", "{\"orderId\":\"" + std::string(1024, 'x') + "\"}").accepted);
}

TEST(CatalogueFile, declares_a_unit_and_tries_the_next_path) {
    const auto parsed = Catalogue::parse(
        "version: 1\nother: {time: [{path: created, unit: s}, made.at]}\n", "c.yaml");
    ASSERT_TRUE(parsed) << parsed.error().message();
    const auto time_of = [&](std::string_view payload) {
        Event event(default_tenant());
        const auto document = json::Document::parse(payload);
        const auto judgement = parsed->judge(event, document->root());
        return (judgement.payload_time ? format_rfc3339(judgement.payload_time->at) : "none") +
               " " + std::to_string(judgement.warnings.size());
    };
    EXPECT_EQ(time_of(R"({"created":1767607425})"), "2026-01-05T10:03:45.000Z 0");
    EXPECT_EQ(time_of(R"({"created":"2026-01-05T10:03:45Z"})"), "2026-01-05T10:03:45.000Z 0");
    EXPECT_EQ(time_of(R"({"created":"soon","made":{"at":1767607425000}})"),
              "2026-01-05T10:03:45.000Z 1");
    EXPECT_EQ(time_of(R"({"created":0,"made":{"at":1767607425}})"), "none 2");
}

TEST(CatalogueFile, errors_name_place_and_remedy) {
    const auto error_of = [](std::string_view yaml) {
        const auto parsed = Catalogue::parse(yaml, "c.yaml");
        return parsed ? std::string("accepted") : parsed.error().message();
    };
    EXPECT_NE(error_of("version: 1\ntypes:\n  A: {topik: x}\n")
                  .find("c.yaml:3:7: unknown key \"topik\"; did you mean \"topic\"?"),
              std::string::npos)
        << error_of("version: 1\ntypes:\n  A: {topik: x}\n");
    EXPECT_NE(error_of("version: 2\n").find("must be 1"), std::string::npos);
    EXPECT_NE(error_of("version: 1\ntypes: {A: {topic: nowhere}}\n").find("not an event topic"),
              std::string::npos);
    EXPECT_NE(error_of("version: 1\ntypes: {A: {key: [\"items[].x\"]}}\n").find("walks an array"),
              std::string::npos);
    EXPECT_EQ(error_of("version: 1\nother: {time: [{path: x, unit: sec}]}\n"),
              "c.yaml:2:32: \"sec\" is not a unit of time; one of s, ms, us, ns");
    EXPECT_NE(error_of("version: 1\nother: {time: [{path: x}]}\n").find("needs path and unit"),
              std::string::npos);
    EXPECT_NE(error_of("version: 1\nother: {time: [{path: x, units: s}]}\n")
                  .find("did you mean \"unit\"?"),
              std::string::npos);
    EXPECT_NE(
        error_of("version: 1\nother: {time: [{path: \"x[]\", unit: s}]}\n").find("walks an array"),
        std::string::npos);
    EXPECT_NE(
        error_of("version: 1\ntypes: {A: {required: [{field: x, paths: [x], rule: maybe}]}}\n")
            .find("rule is \"maybe\""),
        std::string::npos);
}

TEST(TakeJudgement, fills_in_key_time_and_warnings) {
    const auto taken = [](std::string payload, std::optional<Instant> time, bool had_zone = true) {
        Event event(default_tenant());
        event.type = "OrderPlaced";
        event.time = time;
        event.time_had_zone = had_zone;
        event.payload = std::move(payload);
        const auto document = json::Document::parse(event.payload);
        take_judgement(event, Catalogue::shipped().judge(event, document->root()));
        return event;
    };
    const Instant noon = parse_rfc3339("2026-01-05T12:00:00Z")->at;
    const auto complete =
        taken(R"({"orderId":"A","customerId":"C","timestamp":"2026-01-05T11:00:00"})", noon);
    EXPECT_EQ(complete.key, "A");
    EXPECT_EQ(complete.time, noon) << "the envelope's time counts";
    EXPECT_TRUE(complete.warnings.empty()) << "and it had a zone";
    const auto no_zone = std::vector<std::string>{"time: no zone, UTC assumed"};
    EXPECT_EQ(taken(R"({"orderId":"A","customerId":"C"})", noon, false).warnings, no_zone);
    const auto from_payload = taken(
        R"({"orderId":"A","customerId":"C","timestamp":"2026-01-05T12:00:00"})", std::nullopt);
    EXPECT_EQ(from_payload.time, noon);
    EXPECT_FALSE(from_payload.time_had_zone);
    EXPECT_EQ(from_payload.warnings, no_zone);
    EXPECT_EQ(taken(R"({"orderId":"A"})", noon, false).warnings.size(), 2u);
}

TEST(PathText, parses) {
    const auto path = Path::parse(R"(order."a.b".items[].id)");
    ASSERT_TRUE(path.has_value());
    ASSERT_EQ(path->segments().size(), 4u);
    EXPECT_EQ(path->segments()[1].key, "a.b");
    EXPECT_TRUE(path->segments()[2].each);
    for (const auto* bad : {"", ".", "a.", ".a", "a..b", "a[", "a[]b", "\"open", "a[0]"}) {
        EXPECT_FALSE(Path::parse(bad).has_value()) << bad;
    }
}

TEST(PathLookup, walks_arrays_in_order) {
    auto document = json::Document::parse(R"({"items":[{"sku":"a"},{"other":1},{"sku":"b"},7]})");
    ASSERT_TRUE(document.has_value());
    bool duplicate = false;
    const auto values = lookup_all(document->root(), *Path::parse("items[].sku"), duplicate);
    ASSERT_EQ(values.size(), 2u);
    EXPECT_EQ(values[0].text(), "a");
    EXPECT_EQ(values[1].text(), "b");
    EXPECT_FALSE(duplicate);
}

TEST(Position, round_trips_and_refuses_strangers) {
    const PositionToken token{0xfeedbeef,
                              {{topic::payments, 11}, Offset{987654321}},
                              from_nanos(1'767'608'625'120'000'001)};
    const auto text = encode_position(token);
    EXPECT_EQ(text.find_first_of("+/="), std::string::npos);
    const auto decoded = decode_position(text);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->pointer, token.pointer);
    EXPECT_EQ(decoded->log_time, token.log_time);
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto bent = text;
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        const auto other = decode_position(bent);
        if (other.has_value()) {
            EXPECT_EQ(encode_position(*other), text) << "only unused trailing bits may differ";
        }
    }
    EXPECT_FALSE(decode_position("").has_value());
    EXPECT_FALSE(decode_position("hello").has_value());
    EXPECT_FALSE(decode_position(std::string(1000, 'A')).has_value());
}

TEST(Position, of_several_records_is_one_text_that_names_each_partitions_last) {
    const auto at = [](TopicId topic, std::uint32_t partition, std::uint64_t offset,
                       std::int64_t time) {
        return PositionToken{0xfeedbeef, {{topic, partition}, Offset{offset}}, from_nanos(time)};
    };
    const std::vector<PositionToken> tokens{
        at(topic::payments, 1, 70, 500), at(topic::orders, 300, 9, 400),
        at(topic::payments, 1, 80, 600), at(topic::dlq, 0, 1, -1), at(topic::payments, 1, 75, 550)};
    const auto text = encode_positions(tokens);
    EXPECT_EQ(text.find_first_of("+/="), std::string::npos);
    auto other_way_round = tokens;
    std::reverse(other_way_round.begin(), other_way_round.end());
    EXPECT_EQ(encode_positions(other_way_round), text);
    const auto decoded = decode_positions(text);
    ASSERT_TRUE(decoded.has_value());
    ASSERT_EQ(decoded->size(), 3u);
    const std::vector<PositionToken> expected{tokens[1], tokens[2], tokens[3]};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(decoded->at(i).log, expected[i].log);
        EXPECT_EQ(decoded->at(i).pointer, expected[i].pointer);
        EXPECT_EQ(decoded->at(i).log_time, expected[i].log_time);
    }
    EXPECT_FALSE(decode_position(text).has_value()) << "it is not one record's";
    EXPECT_EQ(encode_positions({tokens[0]}), encode_position(tokens[0]));
    EXPECT_EQ(decode_positions(encode_position(tokens[0]))->size(), 1u);
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto bent = text;
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        const auto other = decode_positions(bent);
        if (other.has_value()) {
            EXPECT_EQ(encode_positions(*other), text) << "only unused trailing bits may differ";
        }
        EXPECT_FALSE(decode_positions(text.substr(0, i)).has_value());
    }
}

TEST(Position, names_no_more_partitions_than_a_url_can_carry) {
    std::vector<PositionToken> tokens;
    EXPECT_EQ(encode_positions(tokens), "");
    for (std::uint32_t p = 0; p < positions_max; ++p) {
        tokens.push_back({1, {{topic::orders, p}, Offset{~std::uint64_t{0} - p}}, Instant{}});
    }
    const auto text = encode_positions(tokens);
    EXPECT_LT(text.size(), 16u << 10);
    const auto decoded = decode_positions(text);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->size(), positions_max);
    EXPECT_EQ(decoded->back().pointer, tokens.back().pointer);
    tokens.push_back({1, {{topic::payments, 0}, Offset{1}}, Instant{}});
    EXPECT_EQ(encode_positions(tokens), "");
}

/// Made by nobody but somebody who knows the checksum: no number of it is taken on trust.
TEST(Position, that_is_not_in_its_one_form_is_refused) {
    const auto text_of = [](auto write) {
        ByteWriter out;
        out.u8(2);
        out.u8(2);
        out.u32(7);
        write(out);
        auto body = out.take();
        const auto crc = crc32c(body);
        body += {static_cast<char>(crc & 0xff), static_cast<char>((crc >> 8) & 0xff)};
        auto text = base64_encode(body);
        std::replace(text.begin(), text.end(), '+', '-');
        std::replace(text.begin(), text.end(), '/', '_');
        text.erase(std::find(text.begin(), text.end(), '='), text.end());
        return text;
    };
    const auto record = [](ByteWriter& out, std::uint8_t topic, std::uint64_t partition) {
        out.u8(topic);
        out.varint(partition);
        out.varint(5);
        out.zigzag(0);
    };
    const auto of = [&](std::uint64_t count, std::uint8_t topic, std::uint64_t partition) {
        return decode_positions(text_of([&](ByteWriter& out) {
                   out.varint(count);
                   record(out, 1, 3);
                   record(out, topic, partition);
               }))
            .has_value();
    };
    EXPECT_TRUE(of(2, 1, 4));
    EXPECT_TRUE(of(2, 2, 0));
    EXPECT_FALSE(of(2, 1, 3)) << "a partition twice";
    EXPECT_FALSE(of(2, 1, 2)) << "out of order";
    EXPECT_FALSE(of(2, 0, 4)) << "no topic";
    EXPECT_FALSE(of(2, 200, 4)) << "no topic";
    EXPECT_FALSE(of(2, 1, std::uint64_t{1} << 32)) << "no partition";
    EXPECT_FALSE(of(1, 1, 4)) << "one, and bytes behind it";
    EXPECT_FALSE(of(3, 1, 4)) << "one is missing";
    EXPECT_FALSE(of(~std::uint64_t{0}, 1, 4));
    EXPECT_FALSE(decode_positions(text_of([](ByteWriter& out) { out.varint(0); })));
    EXPECT_FALSE(decode_positions(text_of([&](ByteWriter& out) {
        out.varint(1);
        record(out, 1, 3);
    }))) << "one record has the other form";
}

TEST(Catalogue, all_complaints_at_once) {
    std::vector<Error> more;
    const auto parsed = Catalogue::parse(
        "version: 2\nversion: 3\nnonsense: 1\ntypes:\n  A: {topic: nowhere}\n  B: {key: []}\n  C: "
        "{ky: [a]}\n  D: {key: [id]}\n",
        "c.yaml", &more);
    ASSERT_FALSE(parsed);
    std::string told = parsed.error().message() + "\n";
    for (const auto& error : more) {
        told += error.message() + "\n";
    }
    for (const auto* what :
         {"c.yaml:2:1: the key 'version' occurs twice", "c.yaml:3:1: unknown key \"nonsense\"",
          "c.yaml:1:10: the catalogue's version", "c.yaml:5:14: \"nowhere\" is not an event topic",
          "c.yaml:6:12: expected a list of paths", "c.yaml:7:7: unknown key \"ky\""}) {
        EXPECT_NE(told.find(what), std::string::npos) << what << "\n" << told;
    }
    EXPECT_EQ(more.size(), 5u) << told;
}

}  // namespace
}  // namespace helios::model
