#pragma once
/// What every store must do: rows go in batch by batch, questions are answered from them. One test
/// suite; a backend's test names itself:
///   INSTANTIATE_TYPED_TEST_SUITE_P(sqlite, StoreContract, SqliteBackend);
/// A backend makes an empty store and has write(const Rows&) → Result<std::vector<DecidedVerdict>>,
/// queries() with the members of Queries, and applied() → log::Offsets. Only for test programs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "store/records_test_kit.h"
#include "store/rows.h"

namespace helios::store {

template <class Backend>
class StoreContract : public ::testing::Test {
protected:
    static Instant after(std::int64_t seconds) {
        return testing::epoch_of_tests + std::chrono::seconds(seconds);
    }
    static CaseId case_of(std::string key) { return {default_tenant(), "order", std::move(key)}; }

    std::vector<DecidedVerdict> write(const testing::Records& records) {
        auto decided = backend_.write(records.rows());
        EXPECT_TRUE(decided) << decided.error().what;
        return decided ? *std::move(decided) : std::vector<DecidedVerdict>();
    }
    auto& queries() { return backend_.queries(); }
    std::vector<std::string> counts() {
        std::vector<std::string> seen;
        const auto rows = queries().counts(CountFilter(default_tenant())).value();
        for (const auto& row : rows) {
            seen.push_back(row.source + " " + row.hop + "." + row.counter + "=" +
                           std::to_string(row.value));
        }
        return seen;
    }

    Backend backend_;
};
TYPED_TEST_SUITE_P(StoreContract);

TYPED_TEST_P(StoreContract, what_is_written_is_answered_and_offsets_say_how_far) {
    testing::Records records;
    records.add(testing::an_event("e1", "OrderPlaced", "A"))
        .add(testing::an_activation("order", 1, "text", "hash"))
        .add(testing::a_verdict("A", 1, model::VerdictStatus::pending, std::nullopt));
    EXPECT_TRUE(this->write(records).empty()) << "nothing is decided yet";
    const auto events = this->queries().events(EventFilter(default_tenant())).value().items;
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].event_id, "e1");
    EXPECT_EQ(events[0].customer, "C-A");
    EXPECT_EQ(events[0].pointer, (Position{{model::topic::orders, 0}, Offset{0}}));
    EXPECT_EQ(this->queries().flows(default_tenant()).value().at(0).text, "text");
    EXPECT_EQ(this->queries().latest(this->case_of("A")).value().status,
              model::VerdictStatus::pending);
    EXPECT_EQ(this->backend_.applied(), (log::Offsets{{{model::topic::orders, 0}, Offset{1}},
                                                      {{model::topic::flows, 0}, Offset{2}},
                                                      {{model::topic::verdicts, 0}, Offset{3}}}));
}

TYPED_TEST_P(StoreContract, a_row_that_is_there_already_stays_and_is_not_counted_again) {
    testing::Records records;
    records.add(testing::an_event("e1", "OrderPlaced", "A"))
        .add(testing::a_verdict("A", 1, model::VerdictStatus::matched, this->after(3)));
    EXPECT_EQ(this->write(records).size(), 1u);
    EXPECT_TRUE(this->write(records).empty()) << "decided before";
    EXPECT_EQ(this->queries().revisions(this->case_of("A")).value().size(), 1u);
    EXPECT_THAT(this->counts(), ::testing::ElementsAre("aws store.stored=1"));
}

TYPED_TEST_P(StoreContract, a_case_knows_its_first_decision_over_batches) {
    using model::VerdictStatus;
    this->write(
        testing::Records(0).add(testing::a_verdict("A", 1, VerdictStatus::pending, std::nullopt)));
    const auto first = this->write(
        testing::Records(1)
            .add(testing::a_verdict("A", 2, VerdictStatus::matched, this->after(4)))
            .add(testing::a_verdict("A", 3, VerdictStatus::mismatched, this->after(9))));
    ASSERT_EQ(first.size(), 2u) << "each revision that decided";
    EXPECT_EQ(std::ranges::count_if(first, &DecidedVerdict::first), 1);
    const auto later = this->write(testing::Records(3).add(
        testing::a_verdict("A", 4, VerdictStatus::partial, this->after(20))));
    ASSERT_EQ(later.size(), 1u);
    EXPECT_FALSE(later[0].first);
    const auto stats = this->queries().stats(StatsFilter(default_tenant())).value();
    EXPECT_EQ(stats.mean_to_verdict, Duration(std::chrono::seconds(4)));
    EXPECT_EQ(stats.by_status, (std::array<std::uint64_t, 4>{0, 0, 1, 0}));
    EXPECT_EQ(this->queries().revisions(this->case_of("A")).value().size(), 4u);
}

TYPED_TEST_P(StoreContract, an_older_revision_that_comes_late_is_kept_and_changes_no_case) {
    using model::VerdictStatus;
    this->write(testing::Records(0).add(
        testing::a_verdict("A", 2, VerdictStatus::partial, this->after(5))));
    const auto late = this->write(testing::Records(1).add(
        testing::a_verdict("A", 1, VerdictStatus::matched, this->after(2))));
    EXPECT_TRUE(late.empty());
    EXPECT_EQ(this->queries().latest(this->case_of("A")).value().revision, 2u);
    EXPECT_EQ(this->queries().revisions(this->case_of("A")).value().size(), 2u);
}

TYPED_TEST_P(StoreContract, mismatches_are_pages_newest_first_with_filters) {
    using model::FindingKind;
    using model::VerdictStatus;
    testing::Records records;
    for (std::int64_t i = 0; i < 5; ++i) {
        auto verdict = testing::a_verdict(
            "K" + std::to_string(i), 1,
            i % 2 == 0 ? VerdictStatus::mismatched : VerdictStatus::partial, this->after(i));
        verdict.findings = {testing::a_finding(i == 3 ? FindingKind::late : FindingKind::amount)};
        records.add(verdict);
    }
    records.add(testing::a_verdict("fine", 1, VerdictStatus::matched, this->after(9)));
    this->write(records);
    auto filter = CaseFilter::mismatches(default_tenant());
    filter.limit = 2;
    std::vector<std::string> keys;
    do {
        const auto page = this->queries().cases(filter).value();
        for (const auto& verdict : page.items) {
            keys.push_back(verdict.key);
        }
        filter.after = page.next;
    } while (filter.after);
    EXPECT_THAT(keys, ::testing::ElementsAre("K4", "K3", "K2", "K1", "K0"));
    filter.limit = 10;
    filter.statuses = {VerdictStatus::partial};
    EXPECT_EQ(this->queries().cases(filter).value().items.size(), 2u);
    filter.kind = FindingKind::late;
    EXPECT_EQ(this->queries().cases(filter).value().items.at(0).key, "K3");
}

TYPED_TEST_P(StoreContract, sums_of_batches_are_added) {
    const auto minute = this->after(0);
    this->write(testing::Records(0).add(testing::some_counts("route", minute, {{"judged", 2}})));
    this->write(testing::Records(1)
                    .add(testing::some_counts("route", minute, {{"judged", 3}}))
                    .add(testing::an_event("e1", "OrderPlaced", "A"))
                    .add(testing::an_event("e2", "OrderPlaced", "A")));
    EXPECT_THAT(this->counts(), ::testing::ElementsAre("aws route.judged=5", "aws store.stored=2"));
}

TYPED_TEST_P(StoreContract, a_copy_of_an_event_is_one_row_and_counts_once) {
    const auto event = testing::an_event("e1", "OrderPlaced", "A");
    auto copy = event;
    copy.payload = R"({ "customerId":"C-A", "orderId":"\u0041" })";  // as another would write it
    copy.time = this->after(7);
    copy.metadata = R"({"attempt":2})";
    this->write(testing::Records(0).add(event).add(copy));
    testing::Records later(100);
    later.add(event);
    this->write(later);
    this->write(later);
    const auto events = this->queries().events(EventFilter(default_tenant())).value().items;
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].pointer.offset.value, 0u);
    EXPECT_THAT(this->counts(), ::testing::ElementsAre("aws store.copies=1", "aws store.stored=1",
                                                       "aws store.copies=1"))
        << "a copy in the minute of its own record";
    EXPECT_EQ(events[0].copies, 2u);
    std::vector<std::uint64_t> offsets;
    const auto records = this->queries().records_under(default_tenant(), events[0]).value();
    for (const auto& record : records) {
        EXPECT_EQ(record.content, events[0].content);
        offsets.push_back(record.place.pointer.offset.value);
    }
    EXPECT_THAT(offsets, ::testing::ElementsAre(0, 1, 100));
}

TYPED_TEST_P(StoreContract, of_several_records_of_an_event_the_least_is_its_row) {
    const auto event = testing::an_event("e1", "OrderPlaced", "A");
    this->write(testing::Records(200).add(event));
    this->write(testing::Records(100).add(event));
    this->write(testing::Records(30).add(event));
    this->write(testing::Records(100).add(event));
    const auto events = this->queries().events(EventFilter(default_tenant())).value().items;
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].pointer.offset.value, 30u);
    EXPECT_EQ(events[0].log_time, this->after(30));
    EXPECT_EQ(events[0].copies, 2u);
    EXPECT_THAT(this->counts(), ::testing::ElementsAre("aws store.stored=1", "aws store.copies=1",
                                                       "aws store.copies=1"));
}

TYPED_TEST_P(StoreContract, one_id_with_another_content_or_origin_is_an_event_of_its_own) {
    auto event = testing::an_event("e1", "OrderPlaced", "A");
    testing::Records records;
    records.add(event).add(testing::an_event("e1", "OrderPlaced", "B"));
    event.source = "gcp";
    records.add(event);
    event.scope = "subscription";
    records.add(event);
    event.type = "OrderChanged";
    records.add(event);
    auto other = testing::an_event("e1", "OrderPlaced", "A");
    other.tenant = *TenantId::parse("other");
    records.add(other).add(other);
    this->write(records);
    const auto events = this->queries().events(EventFilter(default_tenant())).value().items;
    ASSERT_EQ(events.size(), 5u);
    EXPECT_TRUE(std::ranges::all_of(events, [](const auto& e) { return e.copies == 0; }));
    const auto of_aws = this->queries().records_under(default_tenant(), events.back()).value();
    ASSERT_EQ(of_aws.size(), 2u);
    EXPECT_NE(of_aws[0].content, of_aws[1].content);
    const auto of_other = this->queries().events(EventFilter(other.tenant)).value().items;
    ASSERT_EQ(of_other.size(), 1u);
    EXPECT_EQ(of_other[0].copies, 1u);
}

TYPED_TEST_P(StoreContract, a_kept_item_knows_how_often_it_came) {
    model::Quarantined item(default_tenant());
    item.id = "q";
    item.reason = "missing_field";
    this->write(testing::Records(0).add(item).add(testing::a_repeat("q", 4, this->after(60))));
    this->write(testing::Records(100).add(item));
    const auto row = this->queries().quarantined_item(default_tenant(), "q").value();
    EXPECT_EQ(row.times, 6u);
    EXPECT_EQ(row.first_at, this->after(0));
    EXPECT_EQ(row.last_at, this->after(100));
    EXPECT_EQ(row.pointer, (Position{{model::topic::dlq, 0}, Offset{100}}));
    EXPECT_EQ(row.reason, "missing_field");
    EXPECT_FALSE(row.confirmation);
}

TYPED_TEST_P(StoreContract, history_is_the_legs_and_what_else_may_change_the_verdict) {
    model::LegRecord leg(default_tenant());
    leg.flow = "order";
    leg.key = "A";
    leg.at = this->after(1);
    this->write(testing::Records()
                    .add(model::CaseRecord(
                        testing::a_flow_record(this->after(0), "order", 1, "text", "hash")))
                    .add(model::CaseRecord(leg))
                    .add(model::CaseRecord(testing::absence_until(50)))
                    .add(model::CaseRecord(leg)));
    const auto history = this->queries().history(this->case_of("A")).value();
    std::vector<std::uint64_t> offsets;
    for (const auto& record : history.records) {
        offsets.push_back(record.pointer.offset.value);
    }
    EXPECT_THAT(offsets, ::testing::ElementsAre(0, 1, 3));
    EXPECT_FALSE(history.truncated);
    const auto absences = this->queries().absences(this->case_of("A"), this->after(49)).value();
    EXPECT_THAT(absences, ::testing::ElementsAre(testing::absence_until(50)));
    EXPECT_TRUE(this->queries().absences(this->case_of("A"), this->after(50)).value().empty());
}

TYPED_TEST_P(StoreContract, a_tenant_sees_nothing_of_another) {
    const auto other = *TenantId::parse("other");
    model::Event event(other);
    event.source = "aws";
    event.id = "e1";
    event.type = "OrderPlaced";
    event.key = "A";
    model::Verdict verdict(other);
    verdict.flow = "order";
    verdict.key = "A";
    verdict.status = model::VerdictStatus::partial;
    verdict.reconciled_at = this->after(1);
    this->write(testing::Records().add(event).add(verdict));
    EXPECT_TRUE(this->queries().events(EventFilter(default_tenant())).value().items.empty());
    EXPECT_TRUE(
        this->queries().cases(CaseFilter::mismatches(default_tenant())).value().items.empty());
    EXPECT_TRUE(this->counts().empty());
    EXPECT_EQ(this->queries().latest(this->case_of("A")).error().kind, ErrorKind::not_found);
    EXPECT_EQ(this->queries().events(EventFilter(other)).value().items.size(), 1u);
    EXPECT_EQ(this->queries().cases(CaseFilter::mismatches(other)).value().items.size(), 1u);
}

REGISTER_TYPED_TEST_SUITE_P(StoreContract, what_is_written_is_answered_and_offsets_say_how_far,
                            a_row_that_is_there_already_stays_and_is_not_counted_again,
                            a_case_knows_its_first_decision_over_batches,
                            an_older_revision_that_comes_late_is_kept_and_changes_no_case,
                            mismatches_are_pages_newest_first_with_filters,
                            sums_of_batches_are_added,
                            a_copy_of_an_event_is_one_row_and_counts_once,
                            of_several_records_of_an_event_the_least_is_its_row,
                            one_id_with_another_content_or_origin_is_an_event_of_its_own,
                            a_kept_item_knows_how_often_it_came,
                            history_is_the_legs_and_what_else_may_change_the_verdict,
                            a_tenant_sees_nothing_of_another);

}  // namespace helios::store
