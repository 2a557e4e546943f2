#include <gtest/gtest.h>
#include <thread>

#include "gateway/gateway.h"
#include "gateway/quarantine_repeats.h"
#include "gateway/routes.h"
#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

TEST(Gateway, quarantine_is_kept_once_and_a_corrected_resend_is_accepted) {
    Rig rig;
    rig.open();
    const std::string bad =
        R"({"source":"aws","eventType":"OrderPlaced","id":"e-1","payload":{"customerId":"C-7"}})";
    auto request = Rig::request(bad);
    request.headers.emplace_back("Authorization", "Bearer very-secret");
    request.headers.emplace_back("X-Shop-Pass", "also-secret");
    const auto response = rig.post(Endpoint::ingest, std::move(request)).get();
    EXPECT_EQ(response.status, 422);
    EXPECT_EQ(header(response, "Content-Type"), "application/problem+json");
    EXPECT_EQ(member(response, "reason"), "missing_field");
    EXPECT_NE(response.body.find(R"("errors":["orderId: required, absent"])"), std::string::npos)
        << response.body;
    EXPECT_EQ(member(rig.ingest(bad), "dlqId"), member(response, "dlqId"));
    rig.reopen();
    EXPECT_EQ(member(rig.ingest(bad), "dlqId"), member(response, "dlqId"));

    const auto kept = rig.kept_whole();
    ASSERT_EQ(kept.size(), 1u);
    const auto item = kept[0].quarantined();
    EXPECT_EQ(item.id, member(response, "dlqId"));
    EXPECT_EQ(item.body, bad);
    EXPECT_EQ(item.event_id, "e-1");
    EXPECT_EQ(item.event_type, "OrderPlaced");
    EXPECT_EQ(item.source, "aws");
    EXPECT_EQ(item.endpoint, "/api/v1/events/ingest");
    EXPECT_EQ(kept[0].value.find("very-secret"), std::string::npos);
    EXPECT_EQ(kept[0].value.find("also-secret"), std::string::npos);
    EXPECT_NE(item.headers.find(R"("authorization":"Bearer [sha256:)"), std::string::npos)
        << item.headers;

    EXPECT_EQ(rig.ingest(order("e-1")).status, 202) << "quarantined ids do not enter deduplication";
}

namespace {
/// Of a kept item: how often it came again, and in how many records the log says so.
struct Again {
    std::uint64_t times = 0;
    std::size_t records = 0;
    Instant last{};
};
std::map<std::string, Again> repeats_of(Rig& rig) {
    std::map<std::string, Again> out;
    for (const auto& record : rig.dlq()) {
        if (record.type == model::RecordType::quarantine_repeat) {
            const auto repeat = model::decode_quarantine_repeat(record.value);
            HELIOS_ASSERT(repeat, "a repeat");
            out[repeat->id].times += repeat->times;
            ++out[repeat->id].records;
            out[repeat->id].last = repeat->last_received_at;
        }
    }
    return out;
}
}  // namespace

TEST(Gateway, what_comes_again_is_counted_and_a_hot_retry_does_not_fill_the_log) {
    Rig rig;
    rig.open();
    const std::string bad =
        R"({"source":"aws","eventType":"OrderPlaced","id":"e-1","payload":{"x":")" +
        std::string(5'000, 'x') + "\"}}";
    const auto id = member(rig.ingest(bad), "dlqId");
    for (int i = 0; i < 300; ++i) {
        ASSERT_EQ(rig.ingest(bad).status, 422);
    }
    rig.clock.advance(std::chrono::seconds(3));
    const auto last = rig.clock.wall();
    ASSERT_EQ(rig.ingest(bad).status, 422);
    rig.ingest(order("o-1"));
    const auto conflict = member(rig.ingest(order("o-1", "ORD-1", "99")), "dlqId");
    rig.ingest(order("o-1", "ORD-1", "99"));
    rig.reopen();
    const auto again = repeats_of(rig);
    ASSERT_TRUE(again.contains(id));
    EXPECT_EQ(again.at(id).times, 301u);
    EXPECT_LE(again.at(id).records, 2u)
        << "one at once, one at the end; the clock moved less than the interval";
    EXPECT_EQ(again.at(id).last, last);
    ASSERT_TRUE(again.contains(conflict));
    EXPECT_EQ(again.at(conflict).times, 1u);
    std::size_t whole = 0;
    for (const auto& record : rig.dlq()) {
        whole += record.type == model::RecordType::quarantined;
        if (record.type == model::RecordType::quarantine_repeat) {
            EXPECT_LT(record.value.size(), 100u);
        }
    }
    EXPECT_EQ(whole, 2u);
}

TEST(QuarantineRepeats, one_record_per_item_and_interval) {
    QuarantineRepeats repeats;
    using Which = QuarantineRepeats::Which;
    const Duration start = std::chrono::hours(1);
    repeats.add(default_tenant(), "k", "q", from_nanos(5));
    repeats.add(default_tenant(), "k", "q", from_nanos(4));
    auto taken = repeats.take(start, Which::due);
    ASSERT_EQ(taken.size(), 1u) << "the first at once";
    EXPECT_EQ(taken[0].first, "k");
    model::QuarantineRepeat expected(default_tenant());
    expected.id = "q";
    expected.times = 2;
    expected.last_received_at = from_nanos(5);
    EXPECT_EQ(taken[0].second, expected);
    repeats.add(default_tenant(), "k", "q", from_nanos(6));
    EXPECT_TRUE(
        repeats.take(start + QuarantineRepeats::interval - Duration(1), Which::due).empty());
    repeats.add(default_tenant(), "k", "q", from_nanos(7), 3);
    taken = repeats.take(start + QuarantineRepeats::interval, Which::due);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].second.times, 4u);
    repeats.add(default_tenant(), "k", "q", from_nanos(8));
    EXPECT_EQ(repeats.take(start + QuarantineRepeats::interval, Which::all).size(), 1u)
        << "at the end nothing waits";
    for (std::size_t i = 0; i < QuarantineRepeats::items_max + 5; ++i) {
        repeats.add(default_tenant(), "k", std::to_string(i), {});
    }
    std::size_t all = 0;
    for (auto some = repeats.take(start, Which::all); !some.empty();
         some = repeats.take(start, Which::all)) {
        EXPECT_LE(some.size(), QuarantineRepeats::taken_max);
        all += some.size();
    }
    EXPECT_LE(all, QuarantineRepeats::items_max);
    EXPECT_GE(all, QuarantineRepeats::items_max - 1);
}

TEST(Gateway, quarantine_keeps_the_key_whatever_the_reason) {
    Rig rig;
    rig.open();
    rig.ingest(R"({"source":"mars","eventType":"OrderPlaced","payload":{"orderId":"ORD-1"}})");
    rig.ingest(
        R"({"source":"aws","eventType":"OrderPlaced","id":[],"payload":{"orderId":"ORD-2","customerId":"C"}})");
    rig.ingest(R"({"source":"aws","payload":{"orderId":"ORD-3"}})");
    rig.ingest(R"({"source":"aws","eventType":"OrderPlaced","payload":"ORD-4"})");
    std::map<std::string, std::string> reasons;
    for (const auto& record : rig.dlq()) {
        reasons[record.quarantined().key] = record.quarantined().reason;
    }
    EXPECT_EQ(reasons, (std::map<std::string, std::string>{{"ORD-1", "unknown_source"},
                                                           {"ORD-2", "bad_field"},
                                                           {"ORD-3", "missing_field"},
                                                           {"", "not_an_object"}}));
}

TEST(Gateway, quarantine_keeps_the_key_where_one_can_be_read) {
    Rig rig;
    rig.open();
    const auto response = rig.send(Endpoint::gcp_pubsub, pubsub("g-1", R"({"orderId":"ORD-9"})"));
    EXPECT_EQ(response.status, 204) << "authentic and kept: the sender's success";
    const auto kept = rig.kept_whole();
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].key, "ORD-9");
    EXPECT_EQ(kept[0].quarantined().key, "ORD-9");
    EXPECT_EQ(kept[0].quarantined().reason, "missing_field");
    EXPECT_EQ(kept[0].quarantined().scope, "projects/p/subscriptions/s");
}

}  // namespace
}  // namespace helios::gateway
