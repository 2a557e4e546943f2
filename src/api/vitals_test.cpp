// Probes answer from what is kept for them, whatever stands still.

#include "api/vitals.h"

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "api/test_kit.h"
#include "base/mutex.h"

namespace helios::api {
namespace {

using ::testing::HasSubstr;
using testing::parsed;
using testing::Served;

constexpr std::chrono::seconds patience{10};

/// A part that does not answer from hold() on until release().
class Stuck {
public:
    ~Stuck() { release(); }
    Status ask() {
        MutexLock lock(mutex_);
        ++asked_;
        held_here_ = held_;
        changed_.notify_all();
        changed_.wait(lock, [this]() HELIOS_REQUIRES(mutex_) { return !held_; });
        return {};
    }
    void hold() {
        const MutexLock lock(mutex_);
        held_ = true;
    }
    void release() {
        const MutexLock lock(mutex_);
        held_ = false;
        changed_.notify_all();
    }
    /// False: nobody has asked in vain within the test's patience.
    bool wait_until_stuck() {
        MutexLock lock(mutex_);
        return changed_.wait_for(lock, patience,
                                 [this]() HELIOS_REQUIRES(mutex_) { return held_here_; });
    }

private:
    Mutex mutex_;
    Condition changed_;
    bool held_ HELIOS_GUARDED_BY(mutex_) = false;
    bool held_here_ HELIOS_GUARDED_BY(mutex_) = false;
    int asked_ HELIOS_GUARDED_BY(mutex_) = 0;
};

class VitalsTest : public ::testing::Test {
protected:
    VitalsTest() {
        served.vitals_by_hand = true;
        served.readiness = {{"writes", [this] { return writes.ask(); }},
                            {"last", []() -> Status { return {}; }}};
        served.health.concerns = {{"file", [this] { return file.ask(); }}};
        served.health.components = {{"log", [] { return std::string(R"({"status":"up"})"); }}};
        served.open();
    }
    ~VitalsTest() override {
        file.release();
        writes.release();
        served.vitals->stop();
    }
    /// Within the test's patience.
    static bool come_true(const std::function<bool()>& what) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!what() && std::chrono::steady_clock::now() < until) {
            std::this_thread::yield();
        }
        return what();
    }
    bool is_ready() { return served.get("/ready").status == 200; }
    void become_ready() {
        served.vitals->start();
        ASSERT_TRUE(come_true([this] { return is_ready() && health_status() == "healthy"; }));
    }
    std::string health_status() {
        return std::string(parsed(served.get("/api/v1/health")).root().find("status").text());
    }
    std::string detail_of(const http::Response& response, std::string_view check) {
        const auto document = parsed(response);
        const auto checks = document.root().find("checks");
        for (std::size_t i = 0; i < checks.size(); ++i) {
            if (checks.at(i).find("name").text() == check) {
                return std::string(checks.at(i).find("status").text()) +
                       (checks.at(i).find("detail").present()
                            ? ": " + std::string(checks.at(i).find("detail").text())
                            : std::string());
            }
        }
        return "not told";
    }

    Stuck writes;
    Stuck file;
    Served served;
};

TEST_F(VitalsTest, nothing_is_said_to_be_well_before_it_was_asked) {
    const auto ready = served.get("/ready");
    EXPECT_EQ(ready.status, 503);
    EXPECT_THAT(ready.body, HasSubstr("has not answered yet"));
    EXPECT_EQ(health_status(), "degraded");
    served.vitals->look();
    EXPECT_EQ(served.get("/ready").status, 200);
    EXPECT_EQ(health_status(), "healthy");
}

TEST_F(VitalsTest, a_part_that_answers_no_more_fails_and_holds_nobody_up) {
    become_ready();
    writes.hold();
    ASSERT_TRUE(writes.wait_until_stuck());
    EXPECT_EQ(served.get("/ready").status, 200) << "as it was less than a second ago";
    served.bench.clock.advance(std::chrono::seconds(3));
    const auto ready = served.get("/ready");
    EXPECT_EQ(ready.status, 503);
    EXPECT_EQ(detail_of(ready, "writes"), "failing: it has not answered for 3 s");
    EXPECT_EQ(detail_of(ready, "last"), "ok") << "as it was";
    EXPECT_EQ(served.get("/metrics").status, 200);
    writes.release();
    EXPECT_TRUE(come_true([this] { return is_ready(); }));
}

TEST(Vitals, ready_is_not_behind_what_has_been_answered) {
    Served served;
    served.vitals_by_hand = true;
    bool warm = false;
    served.readiness = {{"index", [&]() -> Status {
                             return warm ? Status()
                                         : Status(fail(ErrorKind::unavailable, "not yet"));
                         }}};
    served.open();
    served.vitals->look();
    EXPECT_EQ(served.get("/api/v1/events").status, 503);
    EXPECT_EQ(served.get("/ready").status, 503);
    served.bench.clock.advance(std::chrono::milliseconds(1));
    warm = true;
    EXPECT_EQ(served.get("/api/v1/events").status, 200);
    EXPECT_EQ(served.get("/ready").status, 200) << "until it is, nothing derived is told";
}

TEST_F(VitalsTest, what_traffic_does_not_need_makes_health_alone_fail) {
    become_ready();
    file.hold();
    ASSERT_TRUE(file.wait_until_stuck());
    // The clock stands still but for this: readiness is asked again and again all the time.
    served.bench.clock.advance(std::chrono::seconds(2));
    EXPECT_TRUE(come_true([this] { return is_ready(); }));
    const auto health = served.get("/api/v1/health");
    EXPECT_EQ(health.status, 200);
    EXPECT_EQ(detail_of(health, "file"), "failing: it has not answered for 2 s");
    EXPECT_EQ(health_status(), "degraded");
}

TEST_F(VitalsTest, probes_are_no_questions) {
    for (const auto& route : served.table.routes()) {
        const bool probe = route.path == "/health" || route.path == "/ready" ||
                           route.path == "/metrics" || route.path == "/api/v1/health";
        EXPECT_EQ(route.probe, probe) << route.path;
        EXPECT_FALSE(route.probe && route.blocking) << route.path;
    }
}

TEST(Liveness, ends_when_a_thread_that_serves_requests_does_not_come_by) {
    Served served;
    Duration silence = std::chrono::seconds(9);
    served.silence = [&] { return silence; };
    served.open();
    EXPECT_EQ(served.get("/health").status, 200);
    silence = std::chrono::seconds(11);
    EXPECT_EQ(served.get("/health").status, 503);
    EXPECT_THAT(served.get("/health").body, HasSubstr("for 11 s"));
}

}  // namespace
}  // namespace helios::api
