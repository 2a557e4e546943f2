// Redrives: every item once, in order, stopped where too much fails, and on after a restart.

#include "gateway/redrive.h"

#include <gtest/gtest.h>

#include "gateway/dlq_filter.h"
#include "gateway/dlq_test_kit.h"

namespace helios::gateway {
namespace {

/// Waits for what other threads do; what it asks for stands on the log.
template <class Ask>
bool comes_true(Ask ask) {
    Mutex mutex;
    Condition looked;
    MutexLock lock(mutex);
    for (int i = 0; i < 2'000; ++i) {
        if (ask()) {
            return true;
        }
        looked.wait_for(lock, std::chrono::milliseconds(5), [] { return false; });
    }
    return ask();
}

struct Redriven : Dlq {
    /// As they come from a source that no flow names, until it does.
    void keep_unknown(int count, int from = 0) {
        for (int i = from; i < from + count; ++i) {
            rig.ingest(R"({"source":"depot","eventType":"X","id":"w-)" + std::to_string(i) +
                       R"(","payload":{}})");
        }
    }
    void keep_broken(int count) {
        for (int i = 0; i < count; ++i) {
            rig.ingest(R"({"source":"aws","eventType":"OrderPlaced","id":"b-)" + std::to_string(i) +
                       R"(","payload":{}})");
        }
    }
    http::Response ask(const std::string& body) { return post("/api/v1/dlq/redrive", body); }
    std::optional<model::RedriveRecord> end_of(const std::string& id) {
        for (const auto& record : rig.dlq()) {
            if (record.type == model::RecordType::redrive) {
                auto redrive = *model::decode_redrive(record.value);
                if (redrive.id == id && redrive.phase != model::RedrivePhase::running) {
                    return redrive;
                }
            }
        }
        return std::nullopt;
    }
};

TEST_F(Redriven, a_preview_says_what_would_come_of_it_and_changes_nothing) {
    keep_unknown(2);
    keep_broken(1);
    rig.ingest(order("e-1"));
    rig.ingest(order("e-1", "ORD-1", "99"));
    rig.depot_is_known = true;
    const auto before = rig.dlq().size();
    const auto response = ask(R"({"filter":{},"dryRun":true})");
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_NE(response.body.find(
                  R"({"matched":4,"wouldPass":2,"wouldFail":{"conflict":1,"missing_field":1})"),
              std::string::npos)
        << response.body;
    EXPECT_EQ(rig.dlq().size(), before);
    EXPECT_EQ(rig.events().size(), 1u);
    EXPECT_EQ(rig.ingest(order("e-2")).status, 202) << "no id stays claimed";
}

TEST_F(Redriven, takes_each_item_once_and_says_how_it_ended) {
    keep_unknown(20);
    keep_broken(1);
    rig.depot_is_known = true;
    const auto response = ask(R"({"filter":{}})");
    ASSERT_EQ(response.status, 202) << response.body;
    const auto id = member(response, "id");
    keep_unknown(1, 500);
    redrives->start();
    ASSERT_TRUE(comes_true([&] { return end_of(id).has_value(); }));
    EXPECT_EQ(end_of(id)->phase, model::RedrivePhase::done);
    EXPECT_EQ(end_of(id)->total, 21u);
    EXPECT_EQ(rig.events().size(), 21u) << "those that waited, and the one that came since";
    std::size_t failed = 0;
    for (const auto& outcome : outcomes()) {
        EXPECT_EQ(outcome.redrive, id);
        EXPECT_EQ(outcome.attempt, 1u);
        failed += outcome.what == model::DlqResult::failed;
    }
    EXPECT_EQ(failed, 1u);
    EXPECT_EQ(outcomes().size(), 21u);
    const MutexLock lock(mutex);
    ASSERT_EQ(audits.size(), 2u);
    EXPECT_EQ(audits[0].what, "dlq.redrive " + id);
    EXPECT_EQ(audits[1].after, "20 accepted, 0 duplicate, 0 conflict, 1 failed, 0 skipped");
}

TEST_F(Redriven, goes_on_after_a_restart_with_what_it_has_not_tried) {
    keep_unknown(30);
    rig.depot_is_known = true;
    per_second = 20;
    reopen();
    const auto id = member(ask(R"({"filter":{"reason":"unknown_source"}})"), "id");
    redrives->start();
    ASSERT_TRUE(comes_true([&] { return rig.events().size() >= 3; }));
    redrives->stop();
    const auto before = rig.events().size();
    EXPECT_LT(before, 30u);
    EXPECT_FALSE(end_of(id)) << "a stop is no end";
    per_second = 100'000;
    reopen();
    serve();
    redrives->start();
    ASSERT_TRUE(comes_true([&] { return end_of(id).has_value(); }));
    EXPECT_EQ(rig.events().size(), 30u);
    EXPECT_EQ(outcomes().size(), 30u) << "none was tried twice";
}

TEST_F(Redriven, ends_itself_when_ten_in_a_row_fail_and_leaves_the_rest) {
    keep_broken(15);
    const auto id = member(ask(R"({"filter":{}})"), "id");
    redrives->start();
    ASSERT_TRUE(comes_true([&] { return end_of(id).has_value(); }));
    EXPECT_EQ(end_of(id)->phase, model::RedrivePhase::stopped);
    EXPECT_EQ(end_of(id)->detail, "10 items in a row failed");
    EXPECT_EQ(outcomes().size(), 10u);
}

TEST_F(Redriven, what_is_exhausted_is_tried_only_by_its_id) {
    const auto id =
        keep(Endpoint::ingest, R"({"source":"depot","eventType":"X","id":"w-1","payload":{}})");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(resubmit(id).status, 422);
    }
    rig.depot_is_known = true;
    const auto none = ask(R"({"filter":{}})");
    EXPECT_EQ(member(none, "total"), "0");
    const auto named = ask(R"({"filter":{"ids":[")" + id + R"("]}})");
    EXPECT_EQ(member(named, "total"), "1");
    redrives->start();
    ASSERT_TRUE(comes_true([&] { return end_of(member(named, "id")).has_value(); }));
    EXPECT_EQ(rig.events().size(), 1u);
}

TEST_F(Redriven, bad_requests_begin_nothing) {
    for (const auto* body :
         {"", "[]", "{}", R"({"filter":7})", R"({"filter":{},"dryRun":"yes"})",
          R"({"filter":{},"more":1})", R"({"filter":{"colour":"red"}})", R"({"filter":{"ids":[]}})",
          R"({"filter":{"ids":[7]}})", R"({"filter":{"startTime":"soon"}})",
          R"({"filter":{"startTime":"2026-01-05T10:00:00Z","endTime":"2026-01-04T10:00:00Z"}})",
          R"({"filter":{"reason":"a","reason":"b"}})"}) {
        EXPECT_EQ(ask(body).status, 400) << body;
    }
    EXPECT_TRUE(rig.dlq().empty());
}

TEST(DlqFilter, is_the_same_when_it_is_written_and_read_again) {
    DlqFilter filter;
    filter.reason = "unknown_source";
    filter.source = "a\"b";
    filter.type = "X";
    filter.key = "K";
    filter.start = from_nanos(1'700'000'000'000'000'001);
    filter.end = from_nanos(1'700'000'000'000'000'002);
    filter.ids = {"q1", "q2"};
    const auto text = to_json(filter);
    EXPECT_EQ(parse_dlq_filter(json::Document::parse(text)->root()).value(), filter);
    EXPECT_EQ(to_json(DlqFilter{}), "{}");
}

TEST(Redrive, stops_at_five_percent_of_a_hundred) {
    RedriveCounts counts;
    counts.accepted = 95;
    counts.failed = 4;
    EXPECT_EQ(why_stop(counts, 9), "");
    EXPECT_NE(why_stop(counts, 10), "");
    counts.conflict = 1;
    EXPECT_EQ(why_stop(counts, 1), "5 of 100 items failed");
    counts.accepted = 96;
    EXPECT_EQ(why_stop(counts, 1), "");
}

}  // namespace
}  // namespace helios::gateway
