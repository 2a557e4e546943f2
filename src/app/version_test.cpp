/// Which program this is, and what it says of the clock.

#include <gtest/gtest.h>

#include "app/build_info.h"

namespace helios::app {
namespace {

TEST(BuildInfo, is_of_a_commit_or_of_a_day) {
    const auto& info = build_info();
    EXPECT_FALSE(info.version.empty());
    EXPECT_TRUE(info.commit.empty() || info.commit.size() == 40) << info.commit;
    EXPECT_GT(info.committed, Instant{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}});
    EXPECT_FALSE(info.compiler.empty());
}

TEST(Clock, is_wrong_before_the_day_of_the_commit) {
    BuildInfo info;
    info.committed = parse_rfc3339("2026-11-29T20:15:00Z")->at;
    EXPECT_TRUE(check_clock(info.committed, info));
    EXPECT_TRUE(check_clock(parse_rfc3339("2026-11-29T00:00:00Z")->at, info))
        << "clocks differ by minutes";
    EXPECT_TRUE(check_clock(parse_rfc3339("2036-01-01T00:00:00Z")->at, info));
    for (const auto* wrong :
         {"1970-01-01T00:00:03Z", "2020-01-01T00:00:00Z", "2026-11-28T23:59:59Z"}) {
        const auto checked = check_clock(parse_rfc3339(wrong)->at, info);
        ASSERT_FALSE(checked) << wrong;
        EXPECT_NE(std::string::npos, checked.error().what.find(std::string(wrong).substr(0, 10)))
            << checked.error().what;
        EXPECT_NE(std::string::npos, checked.error().what.find("2026-11-29"))
            << checked.error().what;
        EXPECT_FALSE(checked.error().hint.empty());
    }
}

}  // namespace
}  // namespace helios::app
