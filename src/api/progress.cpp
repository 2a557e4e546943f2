#include "api/progress.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>
#include <utility>

#include "base/pause.h"
#include "base/thread_name.h"

namespace helios::api {
namespace {

constexpr Duration look_every = std::chrono::milliseconds(50);
constexpr std::size_t marks_max = 256;
constexpr Duration clock_slack = std::chrono::minutes(1);

std::string in_words(Duration d) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(d).count();
    constexpr std::int64_t minute = 60;
    constexpr std::int64_t hour = 60 * minute;
    constexpr std::int64_t day = 24 * hour;
    return seconds >= 2 * day      ? fmt::format("{} days", seconds / day)
           : seconds >= 2 * hour   ? fmt::format("{} hours", seconds / hour)
           : seconds >= 2 * minute ? fmt::format("{} minutes", seconds / minute)
                                   : fmt::format("{} seconds", seconds);
}

/// The three stages in a row: what one has to reach is known once the one before has reached its
/// own.
class Chain {
public:
    explicit Chain(const Barrier& barrier)
        : barrier_(barrier),
          stages_{&barrier.route(), &barrier.engine(), &barrier.store()},
          target_(barrier.ends()) {}

    Status check(std::size_t stage) {
        const MutexLock lock(mutex_);
        if (!target_) {
            target_ = barrier_.ends();
            HELIOS_TRY(target_);
        }
        while (passed_ < stages_.size()) {
            const auto written = stages_[passed_]->reached.wait_for(*target_, Duration::zero());
            if (!written) {
                break;
            }
            log::add_to(*target_, *written);
            ++passed_;
        }
        if (passed_ > stage) {
            return {};
        }
        const auto standing = Barrier::standing(*stages_[stage]);
        constexpr std::string_view hint = "it is catching up with the log; nothing is lost";
        if (passed_ < stage) {
            return fail(
                ErrorKind::unavailable,
                fmt::format("it {}, and can't be complete before {} is", standing, names[passed_]),
                std::string(hint));
        }
        return fail(ErrorKind::unavailable,
                    fmt::format("it {}, and has to take in {}", standing,
                                Barrier::lacking(*stages_[stage], *target_)),
                    std::string(hint));
    }

    static constexpr std::array<std::string_view, 3> names{"route", "engine", "store"};

private:
    const Barrier& barrier_;
    const std::array<const StageProgress*, 3> stages_;
    Mutex mutex_;
    std::size_t passed_ HELIOS_GUARDED_BY(mutex_) = 0;
    Result<log::Offsets> target_ HELIOS_GUARDED_BY(mutex_);  ///< asked again until it is known
};

}  // namespace

std::vector<NamedCheck> caught_up(const Barrier& barrier) {
    const auto chain = std::make_shared<Chain>(barrier);
    std::vector<NamedCheck> checks;
    for (std::size_t stage = 0; stage < Chain::names.size(); ++stage) {
        checks.push_back(
            {std::string(Chain::names[stage]), [chain, stage] { return chain->check(stage); }});
    }
    return checks;
}

void Progress::start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
        name_this_thread("progress");
        while (!stop.stop_requested()) {
            look();
            pause_for(stop, look_every);
        }
    });
}

void Progress::look() const {
    static_cast<void>(answerable());
    const Instant present = log_.low_watermark();
    const auto seconds_since = [present](Instant t) {
        return std::chrono::duration<double>(std::max(Duration::zero(), present - t)).count();
    };
    lists_behind_.set(seconds_since(std::max(judged_before(), began_)));
    log_ahead_.set(seconds_since(clock_.wall()));
}

Status Progress::clock() const {
    const Instant wall = clock_.wall();
    const Duration ahead = log_.low_watermark() - wall;
    if (ahead <= clock_slack) {
        return {};
    }
    return fail(ErrorKind::unavailable,
                fmt::format("log time is {} ahead of this machine's clock, which says {}: the "
                            "clock was set back, or had been wrong",
                            in_words(ahead), format_rfc3339(wall)),
                "log time never goes back: wait until the clock has come to it; or, if it is far "
                "ahead, begin anew: `helios log export` "
                "and ingest that into a server on a new directory");
}

void Progress::stop() {
    if (thread_.joinable()) {
        thread_.request_stop();
        thread_.join();
    }
}

std::vector<CheckOutcome> Progress::run_checks(
    const std::function<void(std::string_view name)>& asking) const {
    std::vector<CheckOutcome> outcomes;
    const auto ask = [&](const std::string& name, const auto& check) {
        if (asking) {
            asking(name);
        }
        outcomes.push_back({name, check()});
    };
    ask("log", [this] { return log_.health(); });
    for (const auto& check : checks_) {
        ask(check.name, check.check);
    }
    if (std::all_of(outcomes.begin(), outcomes.end(),
                    [](const auto& o) { return o.status.has_value(); })) {
        std::int64_t never = -1;
        answerable_since_ns_.compare_exchange_strong(never, clock_.monotonic().count());
        if (!answerable_.exchange(true)) {
            static_cast<void>(judged_before());  // so that the first list does not seem to be as
                                                 // old as the last look
        }
    }
    return outcomes;
}

bool Progress::answerable() const {
    return answerable_.load() || (static_cast<void>(run_checks()), answerable_.load());
}

/// Beyond the bound the last two become one, which is reached later but says nothing wrong.
void Progress::note(std::deque<Mark>& marks, Mark mark) {
    if (marks.size() == marks_max) {
        marks.pop_back();
    }
    marks.push_back(mark);
}

/// Hop by hop as the barrier, but by log time, since its answer is one; and it leaves marks where
/// the barrier waits. Each frontier is read before the log's last time: all that a stage had
/// written when it stood there was stamped by then.
Instant Progress::judged_before() const {
    const MutexLock lock(mutex_);
    const Instant routed = barrier_.route().frontier.get();
    note(to_engine_, {routed, log_.last_log_time()});
    const Settled settled = settled_();
    const Instant verdicts_written = log_.last_log_time();
    while (!to_engine_.empty() && settled.processed > to_engine_.front().written &&
           settled.fired >= to_engine_.front().routed) {
        note(to_store_, {to_engine_.front().routed, verdicts_written});
        to_engine_.pop_front();
    }
    const Instant stored = barrier_.store().frontier.get();
    while (!to_store_.empty() && stored > to_store_.front().written) {
        judged_ = std::max(judged_, to_store_.front().routed);
        to_store_.pop_front();
    }
    return answerable_.load() ? std::max(judged_, began_) : judged_;
}

}  // namespace helios::api
