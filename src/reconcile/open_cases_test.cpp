#include "reconcile/open_cases.h"

#include <gtest/gtest.h>
#include <map>
#include <random>

namespace helios::reconcile {
namespace {

TEST(OpenCases, it_holds_what_a_map_holds) {
    std::mt19937 random(7);
    OpenCases open;
    std::map<std::string, OpenCase*> expected;
    for (int i = 0; i < 20'000; ++i) {
        // Rising and falling, so that chains of neighbours come and go.
        const std::string id = std::to_string(random() % (i / 5'000 % 2 == 0 ? 400u : 40u));
        const auto it = expected.find(id);
        ASSERT_EQ(open.find(id), it == expected.end() ? nullptr : it->second);
        if (it == expected.end()) {
            Case c;
            c.instance = static_cast<std::uint32_t>(i);
            OpenCase& one = open.add(id, std::move(c));
            ASSERT_EQ(one.state.instance, static_cast<std::uint32_t>(i));
            expected[id] = &one;
        } else if (random() % 2 == 0) {
            open.remove(*it->second);
            expected.erase(it);
        }
        ASSERT_EQ(open.size(), expected.size());
    }
    for (const auto& [id, one] : expected) {
        ASSERT_EQ(open.find(id), one);
        ASSERT_EQ(one->id, id);
    }
}

TEST(OpenCases, an_empty_one_finds_nothing) {
    EXPECT_EQ(OpenCases().find("A"), nullptr);
}

}  // namespace
}  // namespace helios::reconcile
