#include "sources/puller.h"

#include <deque>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <thread>

#include "base/mutex.h"

namespace helios::sources {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::chrono::seconds patience{10};

template <class Condition>
bool eventually(Condition holds) {
    const SystemClock clock;
    const auto until = clock.monotonic() + patience;
    while (!holds() && clock.monotonic() < until) {
        std::this_thread::yield();
    }
    return holds();
}

/// A cloud's queue in memory, as PullQueue promises it. Thread-safe.
class Cloud {
public:
    void put(std::string body, std::optional<Instant> sent = {}) {
        const MutexLock lock(mutex_);
        ready_.push_back({std::move(body), sent, 0});
        changed_.notify_all();
    }
    void fail_receiving(std::optional<Error> with) {
        const MutexLock lock(mutex_);
        failure_ = std::move(with);
        changed_.notify_all();
    }
    void keep_deletes_from_working(bool on) {
        const MutexLock lock(mutex_);
        undeletable_ = on;
    }
    void unlock_all() {
        const MutexLock lock(mutex_);
        for (auto& [handle, message] : locked_) {
            ready_.push_back(std::move(message));
        }
        locked_.clear();
        changed_.notify_all();
    }
    template <class Ready>
    bool wait(Ready ready) {
        MutexLock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return ready(*this); });
    }
    bool is_empty() const HELIOS_UNFOLLOWED { return ready_.empty() && locked_.empty(); }
    std::size_t receives() const HELIOS_UNFOLLOWED { return receives_; }
    std::size_t renewed() const HELIOS_UNFOLLOWED { return renewed_; }
    std::size_t released() const HELIOS_UNFOLLOWED { return released_; }
    std::size_t deletes() const HELIOS_UNFOLLOWED { return deletes_; }

    OpenQueue opener() {
        return [this](const std::atomic<bool>* stop) {
            return std::make_unique<Receiver>(*this, *stop);
        };
    }

private:
    struct Message {
        std::string body;
        std::optional<Instant> sent;
        int times = 0;
    };
    class Receiver final : public PullQueue {
    public:
        Receiver(Cloud& cloud, const std::atomic<bool>& stop) : cloud_(cloud), stop_(stop) {}
        Result<Received> receive() override {
            Cloud& c = cloud_;
            MutexLock lock(c.mutex_);
            ++c.receives_;
            c.changed_.notify_all();
            for (int looks = 0; looks < 100 && !stop_.load(); ++looks) {  // of 10 ms
                if (c.failure_) {
                    return std::unexpected(*c.failure_);
                }
                if (!c.ready_.empty()) {
                    break;
                }
                c.changed_.wait_for(lock, std::chrono::milliseconds(10), [] { return false; });
            }
            Received out;
            while (!c.ready_.empty() && out.messages.size() < 10) {
                auto message = std::move(c.ready_.front());
                c.ready_.pop_front();
                PulledMessage pulled;
                pulled.handle = std::to_string(++c.handles_);
                pulled.request.body = message.body;
                pulled.sent = message.sent;
                pulled.again = ++message.times > 1;
                c.locked_.emplace(pulled.handle, std::move(message));
                out.messages.push_back(std::move(pulled));
            }
            out.drained = out.messages.empty();
            return out;
        }
        Duration renew_every() const override { return std::chrono::milliseconds(20); }
        Result<Settled> remove(const std::vector<std::string>& handles) override {
            const MutexLock lock(cloud_.mutex_);
            ++cloud_.deletes_;
            cloud_.changed_.notify_all();
            if (cloud_.undeletable_) {
                return Settled{0, handles.size(), "not now"};
            }
            for (const auto& handle : handles) {
                cloud_.locked_.erase(handle);
            }
            return Settled{handles.size(), 0, ""};
        }
        Result<Settled> renew(const std::vector<std::string>& handles) override {
            const MutexLock lock(cloud_.mutex_);
            cloud_.renewed_ += handles.size();
            cloud_.changed_.notify_all();
            return Settled{handles.size(), 0, ""};
        }
        Result<Settled> release(const std::vector<std::string>& handles) override {
            const MutexLock lock(cloud_.mutex_);
            for (const auto& handle : handles) {
                if (const auto it = cloud_.locked_.find(handle); it != cloud_.locked_.end()) {
                    cloud_.ready_.push_back(std::move(it->second));
                    cloud_.locked_.erase(it);
                    ++cloud_.released_;
                }
            }
            cloud_.changed_.notify_all();
            return Settled{handles.size(), 0, ""};
        }
        Result<std::optional<std::uint64_t>> backlog() override {
            const MutexLock lock(cloud_.mutex_);
            return std::optional(std::uint64_t{cloud_.ready_.size()});
        }

    private:
        Cloud& cloud_;
        const std::atomic<bool>& stop_;
    };

    Mutex mutex_;
    Condition changed_;
    std::deque<Message> ready_ HELIOS_GUARDED_BY(mutex_);
    std::map<std::string, Message> locked_ HELIOS_GUARDED_BY(mutex_);
    std::optional<Error> failure_ HELIOS_GUARDED_BY(mutex_);
    bool undeletable_ HELIOS_GUARDED_BY(mutex_) = false;
    std::uint64_t handles_ HELIOS_GUARDED_BY(mutex_) = 0;
    std::size_t receives_ HELIOS_GUARDED_BY(mutex_) = 0;
    std::size_t renewed_ HELIOS_GUARDED_BY(mutex_) = 0;
    std::size_t released_ HELIOS_GUARDED_BY(mutex_) = 0;
    std::size_t deletes_ HELIOS_GUARDED_BY(mutex_) = 0;
};

/// Who takes messages in: at once, or when the test says so.
class Taker {
public:
    Deliver deliver() {
        return [this](http::Request request, DeliveredDone done) {
            const MutexLock lock(mutex_);
            if (!holds_) {
                bodies_.push_back(request.body);
                changed_.notify_all();
                return done(says_);
            }
            held_.emplace_back(std::move(request.body), std::move(done));
            changed_.notify_all();
        };
    }
    void say(Delivered outcome) {
        const MutexLock lock(mutex_);
        says_ = outcome;
    }
    void hold(bool on) {
        const MutexLock lock(mutex_);
        holds_ = on;
        for (auto& [body, done] : std::exchange(held_, {})) {
            bodies_.push_back(body);
            done(says_);
        }
        changed_.notify_all();
    }
    bool wait_for(std::size_t count) {
        MutexLock lock(mutex_);
        return changed_.wait_for(lock, patience,
                                 [&]() HELIOS_REQUIRES(mutex_) { return bodies_.size() >= count; });
    }
    bool wait_for_held(std::size_t count) {
        MutexLock lock(mutex_);
        return changed_.wait_for(lock, patience,
                                 [&]() HELIOS_REQUIRES(mutex_) { return held_.size() >= count; });
    }
    std::vector<std::string> bodies() {
        const MutexLock lock(mutex_);
        return bodies_;
    }

private:
    Mutex mutex_;
    Condition changed_;
    std::vector<std::string> bodies_ HELIOS_GUARDED_BY(mutex_);
    std::vector<std::pair<std::string, DeliveredDone>> held_ HELIOS_GUARDED_BY(mutex_);
    Delivered says_ HELIOS_GUARDED_BY(mutex_) = Delivered::kept;
    bool holds_ HELIOS_GUARDED_BY(mutex_) = false;
};

class PullerTest : public testing::Test {
protected:
    Puller& start(std::size_t receivers = 1) {
        puller_ = std::make_unique<Puller>(PullParts{.source = "aws",
                                                     .receivers = receivers,
                                                     .behind_after = std::chrono::seconds(1),
                                                     .open = cloud_.opener(),
                                                     .deliver = taker_.deliver(),
                                                     .may_receive = [this] { return may_.load(); },
                                                     .behind =
                                                         [this](bool on) {
                                                             const MutexLock lock(mutex_);
                                                             told_.push_back(on);
                                                             changed_.notify_all();
                                                         },
                                                     .telemetry = telemetry_,
                                                     .clock = clock_,
                                                     .pause_min = std::chrono::milliseconds(1),
                                                     .pause_max = std::chrono::milliseconds(5),
                                                     .look_every = std::chrono::milliseconds(5)});
        puller_->start();
        return *puller_;
    }
    bool is_told(std::vector<bool> expected) {
        MutexLock lock(mutex_);
        return changed_.wait_for(lock, patience,
                                 [&]() HELIOS_REQUIRES(mutex_) { return told_ == expected; });
    }
    std::vector<bool> told() {
        const MutexLock lock(mutex_);
        return told_;
    }
    std::size_t lines_with(std::string_view text) {
        return static_cast<std::size_t>(std::ranges::count_if(
            lines_, [&](const auto& line) { return line.find(text) != std::string::npos; }));
    }

    Cloud cloud_;
    Taker taker_;
    std::atomic<bool> may_{true};
    ManualClock clock_{parse_rfc3339("2026-01-05T10:23:45Z")->at};
    std::vector<std::string> lines_;  ///< read after stop()
    telemetry::Telemetry telemetry_{clock_, telemetry::Level::debug, lines_};
    Mutex mutex_;
    Condition changed_;
    std::vector<bool> told_ HELIOS_GUARDED_BY(mutex_);
    std::unique_ptr<Puller> puller_;
};

TEST_F(PullerTest, hands_on_what_waits_and_deletes_it) {
    for (int i = 0; i < 25; ++i) {
        cloud_.put(std::to_string(i));
    }
    start(3);
    ASSERT_TRUE(cloud_.wait([](auto& c) { return c.is_empty(); }));
    const auto bodies = taker_.bodies();
    EXPECT_EQ(bodies.size(), 25u);
    EXPECT_EQ(std::set(bodies.begin(), bodies.end()).size(), 25u);
    puller_->stop();
    EXPECT_THAT(telemetry_.metrics.expose(),
                HasSubstr("helios_sources_deleted_total{source=\"aws\"} 25"));
}

TEST_F(PullerTest, nothing_is_deleted_before_it_is_kept_and_locks_are_renewed_until_then) {
    taker_.hold(true);
    cloud_.put("slow");
    start();
    ASSERT_TRUE(taker_.wait_for_held(1));
    EXPECT_TRUE(cloud_.wait([](auto& c) { return c.renewed() >= 3; }));
    EXPECT_TRUE(cloud_.wait([](auto& c) { return c.deletes() == 0; }));
    taker_.hold(false);
    EXPECT_TRUE(cloud_.wait([](auto& c) { return c.is_empty(); }));
}

TEST_F(PullerTest, what_is_refused_is_released_and_comes_again) {
    taker_.say(Delivered::refused);
    cloud_.put("later");
    start();
    ASSERT_TRUE(cloud_.wait([](auto& c) { return c.released() >= 2; }));
    EXPECT_TRUE(cloud_.wait([](auto& c) { return c.deletes() == 0; }));
    taker_.say(Delivered::kept);
    EXPECT_TRUE(cloud_.wait([](auto& c) { return c.is_empty(); }));
}

TEST_F(PullerTest, nothing_is_asked_for_while_nothing_would_be_taken_in) {
    may_ = false;
    cloud_.put("waits");
    start();
    ASSERT_TRUE(eventually([&] { return puller_->state().lag == 1u; })) << "the puller is at work";
    EXPECT_TRUE(cloud_.wait([](auto& c) { return c.receives() == 0; }));
    may_ = true;
    EXPECT_TRUE(taker_.wait_for(1));
}

TEST_F(PullerTest, what_cannot_be_deleted_is_counted_and_comes_again) {
    cloud_.keep_deletes_from_working(true);
    cloud_.put("stubborn");
    start();
    ASSERT_TRUE(cloud_.wait([](auto& c) { return c.deletes() >= 1; }));
    cloud_.keep_deletes_from_working(false);
    cloud_.unlock_all();
    ASSERT_TRUE(cloud_.wait([](auto& c) { return c.is_empty(); }));
    puller_->stop();
    EXPECT_THAT(taker_.bodies(), ElementsAre("stubborn", "stubborn"));
    EXPECT_THAT(telemetry_.metrics.expose(),
                HasSubstr(R"(helios_sources_failures_total{reason="not_deleted",source="aws"} 1)"));
}

TEST_F(PullerTest, a_failure_is_said_once_however_often_it_is_tried) {
    cloud_.fail_receiving(Error{ErrorKind::denied, "the key is wrong", "change it"});
    start();
    ASSERT_TRUE(cloud_.wait([](auto& c) { return c.receives() >= 5; }));
    EXPECT_THAT(puller_->state().last_error, HasSubstr("the key is wrong"));
    cloud_.fail_receiving({});
    cloud_.put("good");
    ASSERT_TRUE(taker_.wait_for(1));
    EXPECT_EQ(puller_->state().last_error, "");
    puller_->stop();
    EXPECT_EQ(lines_with("the key is wrong"), 1u);
    EXPECT_EQ(lines_with("can be fetched again"), 1u);
}

TEST_F(PullerTest, out_of_reach_for_long_it_is_behind_until_what_was_sent_before_is_read) {
    cloud_.fail_receiving(Error{ErrorKind::unavailable, "no route", ""});
    start();
    ASSERT_TRUE(cloud_.wait([](auto& c) { return c.receives() >= 2; }));
    EXPECT_THAT(told(), IsEmpty()) << "not long enough";
    clock_.advance(std::chrono::seconds(2));
    ASSERT_TRUE(is_told({true}));
    taker_.hold(true);
    cloud_.put("sent before its return", clock_.wall() - std::chrono::milliseconds(500));
    cloud_.fail_receiving({});
    ASSERT_TRUE(taker_.wait_for_held(1));
    EXPECT_THAT(told(), ElementsAre(true)) << "it is in hand, and not kept yet";
    taker_.hold(false);
    EXPECT_TRUE(is_told({true, false})) << "then nothing else waited";
}

TEST_F(PullerTest, an_old_backlog_is_behind_until_it_is_read) {
    taker_.hold(true);
    cloud_.put("old", clock_.wall() - std::chrono::hours(1));
    start();
    ASSERT_TRUE(is_told({true}));
    EXPECT_EQ(puller_->state().oldest, std::chrono::hours(1));
    taker_.hold(false);
    EXPECT_TRUE(is_told({true, false}));
}

TEST_F(PullerTest, what_comes_again_is_no_backlog) {
    taker_.say(Delivered::refused);
    cloud_.put("again and again", clock_.wall());
    start();
    ASSERT_TRUE(cloud_.wait([](auto& c) { return c.released() >= 1; }));
    clock_.advance(std::chrono::hours(1));
    ASSERT_TRUE(cloud_.wait([](auto& c) { return c.released() >= 4; }));
    puller_->stop();
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PullerTest, a_stop_waits_for_what_was_handed_on) {
    taker_.hold(true);
    cloud_.put("in hand");
    start(2);
    ASSERT_TRUE(taker_.wait_for_held(1));
    puller_->begin_to_stop();
    taker_.hold(false);
    puller_->stop();
    EXPECT_TRUE(cloud_.wait([](auto& c) { return c.is_empty(); }));
}

TEST_F(PullerTest, says_how_much_waits) {
    may_ = false;
    cloud_.put("one");
    cloud_.put("two");
    start();
    ASSERT_TRUE(eventually([&] { return puller_->state().lag == 2u; }));
    EXPECT_THAT(telemetry_.metrics.expose(), HasSubstr("helios_sources_lag{source=\"aws\"} 2"));
}

}  // namespace
}  // namespace helios::sources
