#include "store/projection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/records_test_kit.h"

namespace helios::store {
namespace {

using model::FindingKind;
using model::RecordType;
using model::VerdictStatus;
using testing::a_verdict;
using testing::an_event;
using testing::epoch_of_tests;
using testing::Records;

Instant after(std::int64_t seconds) {
    return epoch_of_tests + std::chrono::seconds(seconds);
}

const CaseInstance ord_1{default_tenant(), "order", "ORD-1", 1};

TEST(Projection, an_event_is_a_row_that_points_to_its_record) {
    Records records;
    auto anonymous = an_event("e2", "OrderPlaced", "");
    anonymous.customer.clear();
    anonymous.time.reset();
    records.add(an_event("e1", "OrderPlaced", "ORD-1", "gcp")).add(anonymous);
    const auto& events = records.rows().events;
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].tenant, default_tenant());
    EXPECT_EQ(events[0].pointer, (Position{{model::topic::orders, 0}, Offset{0}}));
    EXPECT_EQ(events[0].log_time, after(0));
    EXPECT_EQ(events[0].source, "gcp");
    EXPECT_EQ(events[0].event_id, "e1");
    EXPECT_EQ(events[0].type, "OrderPlaced");
    EXPECT_EQ(events[0].key, "ORD-1");
    EXPECT_EQ(events[0].customer, "C-ORD-1");
    EXPECT_EQ(events[0].event_time, epoch_of_tests);
    EXPECT_EQ(events[1].pointer.offset.value, 1u);
    EXPECT_EQ(events[1].customer, std::nullopt);
    EXPECT_EQ(events[1].event_time, std::nullopt);
    EXPECT_TRUE(records.rows().counts.empty()) << "what is stored, only the tables can count";
}

TEST(Projection, of_several_revisions_of_a_case_only_the_last_is_its_row) {
    Records records;
    auto last = a_verdict("ORD-1", 3, VerdictStatus::mismatched, after(9));
    last.findings = {testing::a_finding(FindingKind::amount),
                     testing::a_finding(FindingKind::late)};
    last.at_risk = {{"USD", "12.50"}, {"EUR", "3.00"}};
    records.add(a_verdict("ORD-1", 1, VerdictStatus::pending, std::nullopt))
        .add(a_verdict("ORD-2", 1, VerdictStatus::pending, std::nullopt))
        .add(a_verdict("ORD-1", 2, VerdictStatus::matched, after(3)))
        .add(last);
    const auto& rows = records.rows();
    ASSERT_EQ(rows.verdicts.size(), 4u) << "every revision is kept";
    EXPECT_EQ(rows.verdicts[3].of, ord_1);
    EXPECT_EQ(rows.verdicts[3].revision, 3u);
    EXPECT_EQ(rows.verdicts[3].body, encode(last));
    EXPECT_EQ(rows.verdicts[3].before, 2u);
    EXPECT_EQ(rows.verdicts[2].before, 0u);
    EXPECT_EQ(rows.verdicts[0].before, std::nullopt);
    EXPECT_EQ(rows.verdicts[1].before, std::nullopt);
    ASSERT_EQ(rows.cases.size(), 2u);
    const CaseRow& row = rows.cases.at(ord_1);
    EXPECT_EQ(row.revision, 3u);
    EXPECT_EQ(row.verdict, 3u);
    EXPECT_EQ(row.status, VerdictStatus::mismatched);
    EXPECT_EQ(row.kinds, kind_bit(FindingKind::amount) | kind_bit(FindingKind::late));
    EXPECT_EQ(row.reconciled_at, after(9));
    EXPECT_EQ(row.first_reconciled_at, after(3)) << "when it was decided for the first time";
    EXPECT_EQ(row.at_risk, "USD 12.50\nEUR 3.00");
}

TEST(Projection, an_older_revision_that_comes_late_leaves_the_case_alone) {
    Records records;
    records.add(a_verdict("ORD-1", 2, VerdictStatus::partial, after(5)))
        .add(a_verdict("ORD-1", 1, VerdictStatus::matched, after(2)))
        .add(a_verdict("ORD-1", 2, VerdictStatus::matched, after(2)));
    EXPECT_EQ(records.rows().verdicts.size(), 3u);
    const CaseRow& row = records.rows().cases.at(ord_1);
    EXPECT_EQ(row.verdict, 0u);
    EXPECT_EQ(row.status, VerdictStatus::partial);
    EXPECT_EQ(row.first_reconciled_at, after(5));
    EXPECT_EQ(records.rows().verdicts[0].before, std::nullopt);
}

TEST(Projection, instances_of_a_key_are_cases_of_their_own) {
    Records records;
    auto second = a_verdict("ORD-1", 1, VerdictStatus::pending, std::nullopt);
    second.instance = 2;
    records.add(a_verdict("ORD-1", 1, VerdictStatus::matched, after(1))).add(second);
    EXPECT_EQ(records.rows().cases.size(), 2u);
}

TEST(Projection, counts_of_a_batch_are_one_sum_each_in_the_order_of_their_keys) {
    Records records;
    records.add(testing::some_counts("route", after(0), {{"judged", 2}}))
        .add(testing::some_counts("gateway", after(0), {{"received", 1}, {"appended", 1}}))
        .add(testing::some_counts("route", after(0), {{"judged", 3}}));
    std::vector<std::string> seen;
    for (const auto& [key, value] : records.rows().counts) {
        seen.push_back(key.hop + "." + key.counter + "=" + std::to_string(value));
    }
    EXPECT_THAT(
        seen, ::testing::ElementsAre("gateway.appended=1", "gateway.received=1", "route.judged=5"));
}

TEST(Projection, a_kept_item_and_its_repeats_stand_in_the_order_of_the_log) {
    Records records;
    model::Quarantined item(default_tenant());
    item.id = "q";
    item.reason = "missing_field";
    records.add(model::topic::dlq, RecordType::quarantined, encode(item))
        .add(model::topic::dlq, RecordType::quarantine_repeat,
             encode(testing::a_repeat("q", 4, after(60))))
        .add(model::topic::dlq, RecordType::sns_confirmation, encode(item));
    const auto& rows = records.rows().quarantine;
    ASSERT_EQ(rows.size(), 3u);
    const auto& first = std::get<OfTenant<QuarantineRow>>(rows[0]);
    EXPECT_EQ(first.dlq_id, "q");
    EXPECT_EQ(first.reason, "missing_field");
    EXPECT_FALSE(first.confirmation);
    EXPECT_EQ(first.first_at, after(0));
    EXPECT_EQ(first.last_at, after(0));
    EXPECT_EQ(first.times, 1u);
    EXPECT_EQ(std::get<QuarantineRepeatRow>(rows[1]).times, 4u);
    EXPECT_EQ(std::get<QuarantineRepeatRow>(rows[1]).last_at, after(60));
    EXPECT_TRUE(std::get<OfTenant<QuarantineRow>>(rows[2]).confirmation);
}

TEST(Projection, case_records_are_legs_and_what_else_may_change_a_verdict) {
    Records records;
    model::LegRecord leg(default_tenant());
    leg.flow = "order";
    leg.key = "ORD-1";
    leg.leg = "order";
    leg.at = after(7);
    const auto absence = testing::absence_until(100);
    records.add(model::CaseRecord(leg))
        .add(model::CaseRecord(absence))
        .add(model::CaseRecord(testing::a_flow_record(after(8), "order", 2, "text", "hash")))
        .add(model::CaseRecord(model::TickRecord{after(9)}))
        .add(model::topic::flows, RecordType::absence, "what route reads is not read here");
    const auto& rows = records.rows();
    ASSERT_EQ(rows.case_legs.size(), 1u);
    EXPECT_EQ(rows.case_legs[0].of.key, "ORD-1");
    EXPECT_EQ(rows.case_legs[0].place.pointer.offset, Offset{0});
    EXPECT_EQ(rows.case_legs[0].place.at, after(7));
    ASSERT_EQ(rows.controls.size(), 2u) << "a tick leaves no trace";
    EXPECT_EQ(rows.controls[0].kind, ControlKind::absence);
    EXPECT_EQ(rows.controls[0].place.at, after(100));
    EXPECT_EQ(rows.controls[0].body, model::encode(absence));
    EXPECT_EQ(rows.controls[0].tenant, "");
    EXPECT_EQ(rows.controls[1].kind, ControlKind::flow);
    EXPECT_EQ(rows.controls[1].tenant, default_tenant().text());
    EXPECT_EQ(rows.controls[1].flow, "order");
    EXPECT_EQ(rows.controls[1].version, 2u);
    EXPECT_TRUE(records.undecodable().empty());
}

TEST(Projection, an_activation_is_a_flow_as_of_its_stamp) {
    Records records;
    records.add(model::topic::flows, RecordType::flow_activation,
                encode(testing::an_activation("order", 3, "text", "hash")));
    ASSERT_EQ(records.rows().flows.size(), 1u);
    const auto& row = records.rows().flows[0];
    EXPECT_EQ(row.flow, "order");
    EXPECT_EQ(row.version, 3u);
    EXPECT_EQ(row.activated_at, after(0));
    EXPECT_EQ(row.text, "text");
    EXPECT_EQ(row.hash, "hash");
}

TEST(Projection, a_record_that_cannot_be_decoded_is_remembered_and_passed) {
    Records records;
    records.add(model::topic::orders, RecordType::event, "not an event", 2)
        .add(model::topic::orders, static_cast<RecordType>(999), "of a later Helios", 2)
        .add(model::topic::verdicts, RecordType::verdict, "", 1);
    EXPECT_TRUE(records.rows().events.empty());
    EXPECT_TRUE(records.rows().verdicts.empty());
    EXPECT_TRUE(records.rows().cases.empty());
    ASSERT_EQ(records.undecodable().size(), 3u);
    EXPECT_EQ(records.undecodable()[0].at.partition.topic, model::topic::orders);
    EXPECT_EQ(records.undecodable()[1].at.offset, Offset{1});
    EXPECT_THAT(records.rows().next_offsets,
                ::testing::ElementsAre(std::pair(Partition{model::topic::orders, 2}, Offset{2}),
                                       std::pair(Partition{model::topic::verdicts, 1}, Offset{3})));
}

TEST(Money, is_kept_as_exact_text_and_read_back) {
    const std::vector<model::Money> amounts{{"USD", "12.50"}, {"a b\nc", "3.00"}};
    EXPECT_EQ(join_money(amounts), "USD 12.50\na b c 3.00");
    const std::vector<model::Money> read{{"USD", "12.50"}, {"a b c", "3.00"}};
    EXPECT_EQ(split_money(join_money(amounts)), read);
    EXPECT_TRUE(split_money("").empty());
}

}  // namespace
}  // namespace helios::store
