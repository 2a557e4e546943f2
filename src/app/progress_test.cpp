#include "app/progress.h"

#include <gtest/gtest.h>
#include <sstream>

namespace helios::app {
namespace {

struct Shown {
    explicit Shown(std::uint64_t total, bool rewrites = true)
        : terminal(out, Screen{.rewrites = rewrites, .columns = 80}),
          progress(terminal, clock, total) {}
    ManualClock clock{Instant{}};
    std::ostringstream out;
    Terminal terminal;
    Progress progress;
};

TEST(Progress, percentage_rate_and_end) {
    Shown shown(1000);
    shown.progress.read(250);
    shown.progress.at(5000);
    EXPECT_EQ(shown.out.str(), "") << "what is over soon needs none";
    shown.clock.advance(std::chrono::seconds(2));
    shown.progress.at(5000);
    EXPECT_EQ(shown.out.str(), " 25 %  5,000 lines  2,500 lines/s  ETA 0:06");
    shown.progress.at(5001);
    EXPECT_EQ(shown.out.str(), " 25 %  5,000 lines  2,500 lines/s  ETA 0:06")
        << "a few times a second are enough";
    shown.progress.clear();
    EXPECT_TRUE(shown.out.str().ends_with("\r\x1b[2K"));
}

TEST(Progress, of_a_pipe_has_no_end) {
    Shown shown(0);
    shown.clock.advance(std::chrono::seconds(1));
    shown.progress.read(10);
    shown.progress.at(1'234'567);
    EXPECT_EQ(shown.out.str(), "1,234,567 lines  1,234,567 lines/s");
}

TEST(Progress, after_the_lines_says_what_is_done) {
    Shown shown(1000);
    shown.clock.advance(std::chrono::seconds(1));
    shown.progress.stage("judging", 750, 3000);
    shown.progress.stage("judging", 1000, 3000);
    EXPECT_EQ(shown.out.str(), " 25 %  judging");
}

TEST(Progress, is_silent_where_a_line_cannot_be_rewritten) {
    Shown shown(1000, false);
    shown.clock.advance(std::chrono::seconds(5));
    shown.progress.at(5000);
    shown.progress.say("retrying");
    EXPECT_EQ(shown.out.str(), "");
}

}  // namespace
}  // namespace helios::app
