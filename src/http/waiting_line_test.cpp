// Whose turn it is, by hand: no thread, no time but what the test says.

#include "http/waiting_line.h"

#include <gtest/gtest.h>
#include <memory>

namespace helios::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration limit = seconds(5);

class LineTest : public testing::Test {
protected:
    explicit LineTest(unsigned workers = 2) : line(workers, 100) {}

    bool join(const std::string& caller, int job) { return !refusal(caller, job); }
    std::optional<NoPlace> refusal(const std::string& caller, int job) {
        auto waiting = std::make_unique<int>(job);
        return line.join(waiting, caller, now + limit, now);
    }
    /// The job whose turn it is; 0: nobody waits.
    int next() {
        const auto turn = line.next(now);
        return turn ? *turn->job : 0;
    }
    /// One job of `caller` that took so long.
    void run(const std::string& caller, Duration took) {
        ASSERT_TRUE(join(caller, 1));
        ASSERT_TRUE(line.next(now));
        line.done(caller, took);
    }

    Duration now = seconds(100);
    WaitingLine<std::unique_ptr<int>> line;
};

TEST_F(LineTest, who_is_alone_has_all_workers_in_the_order_of_his_jobs) {
    for (int job = 1; job <= 4; ++job) {
        EXPECT_TRUE(join("a", job));
    }
    EXPECT_EQ(next(), 1);
    EXPECT_EQ(next(), 2);
    EXPECT_EQ(next(), 3);
    EXPECT_EQ(line.running(), 3u);
    EXPECT_EQ(line.waiting(), 1u);
}

TEST_F(LineTest, callers_take_turns_however_much_one_asks) {
    for (int job = 1; job <= 50; ++job) {
        ASSERT_TRUE(join("a", job));
    }
    ASSERT_TRUE(join("b", 101));
    ASSERT_TRUE(join("c", 201));
    ASSERT_TRUE(join("b", 102));
    std::vector<int> order;
    for (int turn = 0; turn < 6; ++turn) {  // one worker: each job is done before the next
        const auto taken = line.next(now);
        order.push_back(*taken->job);
        line.done(taken->caller, milliseconds(1));
    }
    EXPECT_EQ(order, (std::vector<int>{1, 101, 201, 2, 102, 3}));
}

TEST_F(LineTest, the_next_worker_is_of_who_has_the_fewest) {
    for (int job = 1; job <= 6; ++job) {
        ASSERT_TRUE(join("a", job));
    }
    next();
    next();
    next();  // three are a's
    ASSERT_TRUE(join("b", 101));
    ASSERT_TRUE(join("b", 102));
    ASSERT_TRUE(join("b", 103));
    EXPECT_EQ(next(), 101);
    EXPECT_EQ(next(), 102);
    EXPECT_EQ(next(), 103);
    ASSERT_TRUE(join("b", 104));
    EXPECT_EQ(next(), 4) << "three each: the one who has waited longest";
    line.done("a", milliseconds(1));
    line.done("a", milliseconds(1));
    EXPECT_EQ(next(), 5) << "two, against three";
}

TEST_F(LineTest, what_the_rate_of_late_would_not_reach_in_time_is_refused) {
    run("a", seconds(2));
    ASSERT_TRUE(join("a", 1));
    ASSERT_TRUE(join("a", 2));
    next();
    next();                     // both workers are busy, two seconds each
    EXPECT_TRUE(join("a", 3));  // in one second, done in three
    EXPECT_TRUE(join("a", 4));  // in two, done in four
    EXPECT_TRUE(join("a", 5));  // in three, done in five
    const auto late = refusal("a", 6);
    ASSERT_TRUE(late);
    EXPECT_TRUE(late->late);
    EXPECT_EQ(late->again, seconds(1));
    EXPECT_TRUE(join("b", 101)) << "its turn comes before those of whoever asked so much";
    EXPECT_EQ(next(), 101);
}

TEST_F(LineTest, a_free_worker_is_tried_whatever_the_rate) {
    run("a", seconds(60));
    EXPECT_TRUE(join("a", 1));
    EXPECT_TRUE(join("a", 2));
    next();
    next();
    EXPECT_TRUE(refusal("a", 3));
    line.done("a", seconds(60));
    EXPECT_TRUE(join("a", 4));
}

TEST_F(LineTest, the_rate_follows_what_jobs_take_now) {
    run("a", seconds(60));
    for (int job = 0; job < 200; ++job) {
        run("a", milliseconds(1));
    }
    ASSERT_TRUE(join("a", 1));
    ASSERT_TRUE(join("a", 2));
    next();
    next();
    EXPECT_TRUE(join("a", 3));
}

TEST_F(LineTest, whose_time_is_over_or_who_has_gone_leaves) {
    ASSERT_TRUE(join("a", 1));
    now += seconds(1);
    ASSERT_TRUE(join("a", 2));
    ASSERT_TRUE(join("b", 101));
    now += limit - seconds(1);
    EXPECT_EQ(line.overdue(now).size(), 1u) << "the first of a";
    EXPECT_EQ(line.waiting(), 2u);
    const auto gone = line.remove([](const auto& job) { return *job == 2; });
    ASSERT_EQ(gone.size(), 1u);
    now += seconds(1);
    const auto last = line.next(now);
    ASSERT_TRUE(last);
    EXPECT_TRUE(last->overdue) << "nobody looked meanwhile";
    EXPECT_EQ(last->waited, limit);
    EXPECT_FALSE(line.next(now));
    line.done("b", std::nullopt);
    EXPECT_EQ(line.running(), 0u);
}

TEST_F(LineTest, has_an_end) {
    for (int job = 1; job <= 100; ++job) {
        ASSERT_TRUE(join(std::to_string(job), job));
    }
    const auto full = refusal("one more", 101);
    ASSERT_TRUE(full);
    EXPECT_FALSE(full->late);
    EXPECT_GE(full->again, seconds(1));
    next();
    EXPECT_TRUE(join("one more", 101));
}

}  // namespace
}  // namespace helios::http
