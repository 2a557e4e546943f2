// How much may wait in quarantine: what counts, when it is said, and what is told to whom when
// there is no room.
#include "gateway/dlq_room.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <thread>

#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

Position at(std::uint32_t partition, std::uint64_t offset) {
    return {{model::topic::dlq, partition}, Offset{offset}};
}
StoredDlq read_to(std::uint64_t bytes, std::uint64_t offset) {
    return {bytes, {{at(0, 0).partition, Offset{offset}}, {at(1, 0).partition, Offset{offset}}}};
}

TEST(DlqRoom, what_is_let_in_counts_once_until_its_keeper_knows_it) {
    DlqRoom room(1'000);
    EXPECT_TRUE(room.take(400));
    EXPECT_TRUE(room.take(600)) << "exactly full";
    EXPECT_FALSE(room.take(1));
    room.settle(600, std::nullopt);  // not stored
    EXPECT_EQ(room.waiting(), 400u);
    room.settle(400, at(1, 7));
    room.stored(read_to(0, 7));
    EXPECT_EQ(room.waiting(), 400u) << "the keeper has not come to it";
    room.stored(read_to(400, 8));
    EXPECT_EQ(room.waiting(), 400u) << "now he has: not twice";
    ASSERT_TRUE(room.take(100));
    room.stored(read_to(500, 10));
    room.settle(100, at(0, 9));
    EXPECT_EQ(room.waiting(), 500u) << "the keeper was faster than the log's answer";
    room.stored(read_to(0, 10));
    EXPECT_TRUE(room.take(1'000)) << "what was decided about makes room";
    EXPECT_FALSE(room.take(1));
}

TEST(DlqRoom, the_alarm_begins_at_four_fifths_and_ends_below_seven_tenths) {
    DlqRoom room(1'000);
    EXPECT_EQ(room.alarm_turned(), std::nullopt);
    room.stored(read_to(799, 1));
    EXPECT_EQ(room.alarm_turned(), std::nullopt);
    room.stored(read_to(800, 1));
    EXPECT_EQ(room.alarm_turned(), std::optional(true));
    EXPECT_EQ(room.alarm_turned(), std::nullopt) << "once";
    room.stored(read_to(700, 1));
    EXPECT_EQ(room.alarm_turned(), std::nullopt);
    EXPECT_TRUE(room.alarm());
    room.stored(read_to(699, 1));
    EXPECT_EQ(room.alarm_turned(), std::optional(false));
    EXPECT_FALSE(room.alarm());
}

/// An event without its key: it has to wait, with so many bytes.
std::string bad(std::string_view id, std::size_t bytes = 20'000) {
    return R"({"source":"aws","eventType":"OrderPlaced","id":")" + std::string(id) +
           R"(","payload":{"x":")" + std::string(bytes, 'x') + "\"}}";
}

struct FullRig : Rig {
    FullRig() {
        options.dlq_bytes_max = 64u << 10;
        open();
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(ingest(bad("q-" + std::to_string(i))).status, 422);
        }
    }
};

TEST(DlqBound, when_it_is_full_what_would_be_kept_is_refused_alone_and_moves_nothing) {
    FullRig rig;
    const auto refused = rig.ingest(bad("r-1"));
    EXPECT_EQ(refused.status, 429) << refused.body;
    EXPECT_NE(header(refused, "Retry-After"), "");
    EXPECT_NE(refused.body.find("gateway.dlq_bytes_max"), std::string::npos) << refused.body;
    EXPECT_EQ(rig.send(Endpoint::gcp_pubsub,
                       pubsub("g-1", std::string("{\"x\":\"") + std::string(20'000, 'y') + "\"}"))
                  .status,
              503)
        << "clouds are told to send it again";
    EXPECT_EQ(rig.ingest(order("o-1")).status, 202) << "good events go on";
    EXPECT_EQ(rig.ingest(bad("q-0")).status, 422) << "what is kept already needs no room";

    const auto batch =
        rig.send(Endpoint::batch, "[" + order("o-2") + "," + bad("r-2") + "," + order("o-3") + "]");
    ASSERT_EQ(batch.status, 200) << batch.body;
    const auto document = json::Document::parse(batch.body);
    const auto items = document->root().find("items");
    EXPECT_EQ(items.at(0).find("status").text(), "accepted");
    EXPECT_EQ(items.at(1).find("status").text(), "failed");
    EXPECT_TRUE(items.at(1).find("retryable").boolean());
    EXPECT_EQ(items.at(2).find("status").text(), "accepted");

    EXPECT_EQ(rig.ingest(order("o-1", "ORD-1", "\"" + std::string(20'000, '1') + "\"")).status, 429)
        << "a conflict would be kept, too";
    EXPECT_TRUE(rig.refused.empty()) << "a bound that somebody has set is no absence of ours";
    EXPECT_EQ(rig.kept_whole().size(), 3u);
    const auto metrics = rig.telemetry.metrics.expose();
    EXPECT_NE(metrics.find("helios_gateway_dlq_full_total 4"), std::string::npos) << metrics;
}

TEST(DlqBound, what_is_decided_about_makes_room_without_a_restart) {
    FullRig rig;
    ASSERT_EQ(rig.ingest(bad("r-1")).status, 429);
    StoredDlq known;  // its keeper has read all, and two of three were discarded
    known.bytes = 21'000;
    for (const auto& id : rig.log->partitions_of(model::topic::dlq)) {
        known.next_offsets[id] = Offset{1u << 30};
    }
    rig.gateway->note_stored(known);
    EXPECT_EQ(rig.ingest(bad("r-1")).status, 422) << "the id was free";
    EXPECT_EQ(rig.kept_whole().size(), 4u);
}

TEST(DlqBound, an_append_that_fails_gives_its_room_back) {
    FullRig rig;
    rig.disk.fail_syncs(true);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(rig.ingest(bad("s-" + std::to_string(i), 1'000)).status, 503);
    }
    rig.disk.fail_syncs(false);
    const SystemClock clock;
    const auto until = clock.monotonic() + std::chrono::seconds(60);
    int status = 503;
    while (status == 503 && clock.monotonic() < until) {
        status = rig.ingest(bad("s-9", 2'000)).status;
    }
    EXPECT_EQ(status, 422);
}

TEST(DlqBound, it_is_said_once_that_it_fills_up) {
    FullRig rig;
    const SystemClock clock;
    const auto until = clock.monotonic() + std::chrono::seconds(60);
    while (rig.gateway->quarantine_health() && clock.monotonic() < until) {
        std::this_thread::yield();
    }
    const auto health = rig.gateway->quarantine_health();
    ASSERT_FALSE(health);
    EXPECT_EQ(health.error().kind, ErrorKind::exhausted);
    EXPECT_NE(health.error().what.find("of 65536 bytes"), std::string::npos) << health.error().what;
    rig.close();
    EXPECT_EQ(std::ranges::count_if(rig.lines,
                                    [](const auto& line) { return line.contains("fills up"); }),
              1);
}

}  // namespace
}  // namespace helios::gateway
