#include "model/topics.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace helios::model {
namespace {

TEST(Topics, numbers_and_names_lead_to_each_other) {
    for (const auto& declared : all_topics) {
        EXPECT_EQ(name_of(declared.id), declared.name);
        EXPECT_EQ(topic_of(declared.name), declared.id);
        EXPECT_EQ("helios." + std::string(short_name_of(declared.id)), declared.name);
    }
    EXPECT_EQ(topic_of("helios.events"), no_topic);
    EXPECT_EQ(topic_of(""), no_topic);
    EXPECT_EQ(name_of(no_topic), "");
}

// That no number is given twice is seen by the compiler; that none is given anew, here.
TEST(Topics, numbers_are_those_that_are_stored) {
    const std::pair<TopicId, unsigned> stored[] = {
        {topic::orders, 1},
        {topic::payments, 2},
        {topic::inventory, 3},
        {topic::other, 4},
        {topic::dlq, 5},
        {topic::cases, 6},
        {topic::verdicts, 7},
        {topic::remedies, 8},
        {topic::counts, 9},
        {topic::flows, 10},
        {topic::schemas, 11},
        {topic::audit, 12},
        {topic::settings, 13},
        {topic::health, 14},
        {topic::positions_route, 15},
        {topic::positions_engine, 16},
        {topic::positions_heal, 17},
        {topic::members, 18},
    };
    EXPECT_EQ(std::size(stored), all_topics.size() + numbers_without_topic.size());
    for (const auto& [id, number] : stored) {
        EXPECT_EQ(static_cast<unsigned>(id), number);
    }
    for (const TopicId id : numbers_without_topic) {
        EXPECT_EQ(name_of(id), "");
    }
}

TEST(Topics, flows_come_first_and_then_the_number_decides) {
    std::set<std::uint32_t> ranks;
    for (const auto& declared : all_topics) {
        EXPECT_TRUE(ranks.insert(rank_of(declared.id)).second) << declared.name;
    }
    EXPECT_EQ(*ranks.begin(), rank_of(topic::flows));
    EXPECT_LT(rank_of(topic::orders), rank_of(topic::cases));
}

}  // namespace
}  // namespace helios::model
