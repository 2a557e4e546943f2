// Route as lanes on a log without an order over partitions. What comes of it in the end, whatever
// happens meanwhile, is tests/sim/pipeline_sim.cpp's.
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "model/counts.h"
#include "reconcile/lanes_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;

class LanesTest : public ::testing::Test {
protected:
    LanesTest() { good(p.start()); }

    static void good(const Status& status) { ASSERT_TRUE(status) << status.error().message(); }
    void order() {
        p.append_to(model::topic::orders, 0,
                    event("aws", "OrderPlaced", "o-1", good_order, noon(0)));
    }
    void payment() {
        p.append_to(model::topic::payments, 1,
                    event("gcp", "PaymentProcessed", "p-1", good_payment, noon(0)));
    }
    void stock() {
        p.append_to(model::topic::inventory, 2,
                    event("azure", "InventoryReserved", "i-1", good_stock, noon(0)));
    }
    std::map<std::uint32_t, std::vector<model::CaseRecord>> cases() {
        std::map<std::uint32_t, std::vector<model::CaseRecord>> out;
        for (const auto& record : p.records(model::topic::cases)) {
            out[record.at.partition.index].push_back(*model::decode_case_record(record.value));
        }
        return out;
    }

    Lanes p;
};

TEST_F(LanesTest, legs_that_come_through_three_lanes_make_one_case) {
    order();
    payment();
    stock();
    good(p.settle());
    const auto v = p.verdicts();
    ASSERT_FALSE(v.empty());
    EXPECT_EQ(v.back().status, model::VerdictStatus::matched);
    EXPECT_EQ(v.back().events.size(), 3u);
}

TEST_F(LanesTest, nothing_that_lanes_hand_on_says_what_has_passed) {
    order();
    payment();
    stock();
    good(p.settle());
    p.clock.advance(std::chrono::minutes(2));
    good(p.settle());
    const auto written = cases();
    EXPECT_EQ(written.size(), 3u);
    for (const auto& [partition, records] : written) {
        EXPECT_TRUE(std::holds_alternative<model::FlowRecord>(records.front()))
            << "before the first leg that uses it";
        for (const auto& record : records) {
            EXPECT_EQ(model::passed_of(record).has_value(),
                      std::holds_alternative<model::TickRecord>(record));
        }
    }
}

TEST_F(LanesTest, a_slow_lane_holds_back_deadlines_and_nothing_else) {
    order();
    good(p.settle());
    stock();
    p.clock.advance(std::chrono::minutes(2));
    for (int i = 0; i < 6; ++i) {
        good(p.step_lane(0));
        good(p.step_lane(1));
        good(p.step_engine());
    }
    EXPECT_EQ(p.verdicts().back().status, model::VerdictStatus::pending)
        << "the third lane may bring what is awaited, and does";
    good(p.settle());
    EXPECT_EQ(p.verdicts().back().status, model::VerdictStatus::partial);
    EXPECT_EQ(p.verdicts().back().missing, std::vector<std::string>{"payment"});
}

TEST_F(LanesTest, an_open_transaction_on_an_input_holds_deadlines_back) {
    order();
    good(p.settle());
    p.log().hold({model::topic::payments, 1});
    payment();
    p.clock.advance(std::chrono::minutes(2));
    good(p.settle());
    EXPECT_EQ(p.verdicts().back().status, model::VerdictStatus::pending);
    p.log().release({model::topic::payments, 1});
    good(p.settle());
    EXPECT_EQ(p.verdicts().back().missing, std::vector<std::string>{"inventory"});
}

TEST_F(LanesTest, an_absence_is_written_and_handed_on_by_one_of_them) {
    order();
    good(p.settle());
    p.stop();
    p.clock.advance(std::chrono::minutes(5));
    good(p.start());
    good(p.settle());
    for (const auto& [partition, records] : cases()) {
        const auto absences = std::count_if(records.begin(), records.end(), [](const auto& record) {
            return std::holds_alternative<model::AbsenceRecord>(record);
        });
        EXPECT_EQ(absences, 1) << partition;
    }
    EXPECT_EQ(p.verdicts().back().status, model::VerdictStatus::pending)
        << "five minutes and a grace are given back";
}

TEST_F(LanesTest, each_counts_what_it_has_judged_in_a_partition_of_its_own) {
    order();
    payment();
    stock();
    good(p.settle());
    std::set<std::pair<std::uint32_t, std::string>> counted;
    for (const auto& record : p.records(model::topic::counts)) {
        counted.emplace(record.at.partition.index, model::decode_counts(record.value)->source);
    }
    EXPECT_EQ(counted, (std::set<std::pair<std::uint32_t, std::string>>{
                           {0, "aws"}, {1, "gcp"}, {2, "azure"}}));
}

TEST(LanesEngine, a_slow_lanes_copy_of_an_older_level_takes_nothing_back) {
    Bench b;
    b.feed(model::CaseRecord(model::LevelRecord{noon(-20), 2, {}}));
    b.feed(model::CaseRecord(model::LevelRecord{noon(-30), 1, {}}));
    b.order(0, good_order);
    EXPECT_EQ(b.last().level, 2u);
}

}  // namespace
}  // namespace helios::reconcile
