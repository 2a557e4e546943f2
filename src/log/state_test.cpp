#include "log/state.h"

#include <gtest/gtest.h>

namespace helios::log {
namespace {

std::string all_of(State& state, std::string_view prefix = "") {
    std::string out;
    const auto done = state.scan(prefix, [&](std::string_view key, std::string_view value) {
        out += std::string(key) + "=" + std::string(value) + " ";
        return Status{};
    });
    return done ? out : done.error().message();
}

TEST(MemoryState, what_was_last_put_is_there) {
    const auto states = StateDirectory::open({}, LogId{});
    ASSERT_TRUE(states.has_value());
    std::vector<StateDirectory::PassedOver> passed_over;
    const auto opened = (*states)->open({"cases", 1}, nullptr, passed_over);
    ASSERT_TRUE(opened.has_value());
    State& state = **opened;
    EXPECT_FALSE(state.began_from().has_value());
    state.put("b/2", "two");
    state.put("b/1", "one");
    state.put("a", "x");
    state.put("a", "y");
    state.put("c", "z");
    state.erase("c");
    EXPECT_EQ(state.changes(), 6u);
    EXPECT_EQ(*state.get("a"), "y");
    EXPECT_EQ(*state.get("c"), std::nullopt);
    EXPECT_EQ(all_of(state, "b/"), "b/1=one b/2=two ");
    state.freeze({});
    EXPECT_TRUE(state.write().has_value());
    EXPECT_EQ(state.changes(), 0u);
    EXPECT_EQ(all_of(state), "a=y b/1=one b/2=two ");
}

}  // namespace
}  // namespace helios::log
