#include "sources/puller.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <random>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/mutex.h"
#include "base/pause.h"
#include "base/random.h"
#include "base/thread_name.h"

namespace helios::sources {
namespace {

constexpr std::string_view room = "sources";
/// An empty answer sooner than this is no long poll: some stand-ins for clouds do not wait.
constexpr Duration empty_least = std::chrono::milliseconds(250);

/// Pauses between failures: up to twice as long each time, any time up to that (so that receivers
/// that fail together do not come again together).
class Backoff {
public:
    Backoff(Duration least, Duration most) : least_(least), most_(most), next_(least) {
        std::array<std::uint8_t, 8> seed{};
        fill_random(seed);
        std::seed_seq seeds(seed.begin(), seed.end());
        random_.seed(seeds);
    }
    void good() { next_ = least_; }
    Duration failed() {
        const Duration upto = std::exchange(next_, std::min(2 * next_, most_));
        std::uniform_int_distribution<std::int64_t> any(upto.count() / 2, upto.count());
        return Duration(any(random_));
    }

private:
    Duration least_;
    Duration most_;
    Duration next_;
    std::minstd_rand random_;
};

/// What was handed on and is waited for. Kept alive by the callbacks.
struct Batch {
    explicit Batch(std::size_t size) : outcomes(size), open(size) {}

    void decide(std::size_t index, Delivered outcome) {
        const MutexLock lock(mutex);
        if (!std::exchange(outcomes[index], outcome)) {
            --open;
        }
        changed.notify_all();
    }

    Mutex mutex;
    Condition changed;
    std::vector<std::optional<Delivered>> outcomes HELIOS_GUARDED_BY(mutex);
    std::size_t open HELIOS_GUARDED_BY(mutex);
};

struct PullMetrics {
    telemetry::Metrics& all;
    telemetry::Labels labels;
    telemetry::Counter& pulled;
    telemetry::Counter& deleted;
    telemetry::Gauge& lag;
    telemetry::Gauge& oldest;

    PullMetrics(telemetry::Metrics& m, const std::string& source)
        : all(m),
          labels{{"source", source}},
          pulled(m.counter("helios_sources_pulled_total",
                           "Messages that were fetched from a cloud's queue.", labels)),
          deleted(m.counter("helios_sources_deleted_total",
                            "Fetched messages that were deleted there, once kept here.", labels)),
          lag(m.gauge("helios_sources_lag",
                      "Messages that wait in a cloud's queue, as far as it says.", labels)),
          oldest(m.gauge("helios_sources_oldest_seconds",
                         "Age of the oldest message that was fetched last; 0: none waited.",
                         labels)) {}

    /// By reason: the kind of error of a request, "not_deleted", "not_renewed", "not_released",
    /// "refused" (by ourselves).
    void failed(std::string_view reason, std::size_t times = 1) {
        auto with = labels;
        with["reason"] = reason;
        all.counter("helios_sources_failures_total",
                    "Requests to a cloud's queue that failed, and messages with which something "
                    "could not be done.",
                    with)
            .add(static_cast<double>(times));
    }
};

}  // namespace

struct Puller::State {
    explicit State(PullParts with)
        : parts(std::move(with)), metrics(parts.telemetry.metrics, parts.source) {}

    void receive(const std::stop_token& stops);
    void look(const std::stop_token& stops);
    Duration round(PullQueue& queue, Backoff& backoff);
    Duration take(PullQueue& queue, Backoff& backoff, Received got);
    std::vector<std::optional<Delivered>> wait_for(PullQueue& queue, Batch& batch,
                                                   const std::vector<std::string>& handles);
    bool settle(Result<Settled> settled, std::size_t count, std::string_view reason);

    void failed(const Error& error);
    bool received(const Received& got);
    void read(const Received& got, bool late, bool all_kept);
    void set_behind(bool on) HELIOS_REQUIRES(mutex);

    PullParts parts;
    PullMetrics metrics;
    std::atomic<bool> stop{false};
    std::vector<std::jthread> threads;

    mutable Mutex mutex;
    PullState now HELIOS_GUARDED_BY(mutex);
    std::optional<Duration> failing_since HELIOS_GUARDED_BY(mutex);
    bool is_behind HELIOS_GUARDED_BY(mutex) = false;
    /// When it could be reached again: what was sent before is still to be read.
    std::optional<Instant> returned HELIOS_GUARDED_BY(mutex);
    std::size_t late_in_hand HELIOS_GUARDED_BY(mutex) = 0;  ///< batches
};

void Puller::State::receive(const std::stop_token& stops) {
    name_this_thread("pull");
    const auto queue = parts.open(&stop);
    Backoff backoff(parts.pause_min, parts.pause_max);
    while (!stops.stop_requested()) {
        const auto pause = parts.may_receive() ? round(*queue, backoff) : backoff.failed();
        pause_for(stops, pause);
    }
}

/// How long to pause after it.
Duration Puller::State::round(PullQueue& queue, Backoff& backoff) {
    const auto began = parts.clock.monotonic();
    auto got = queue.receive();
    if (!got) {
        if (got.error().kind == ErrorKind::stopping) {
            return Duration::zero();
        }
        failed(got.error());
        return backoff.failed();
    }
    if (!got->messages.empty()) {
        return take(queue, backoff, *std::move(got));
    }
    static_cast<void>(received(*got));  // nothing is late in nothing
    read(*got, false, true);
    backoff.good();
    return empty_least - (parts.clock.monotonic() - began);
}

Duration Puller::State::take(PullQueue& queue, Backoff& backoff, Received got) {
    auto& messages = got.messages;
    metrics.pulled.add(static_cast<double>(messages.size()));
    const bool late = received(got);
    std::vector<std::string> handles;
    handles.reserve(messages.size());
    for (const auto& message : messages) {
        handles.push_back(message.handle);
    }
    const auto batch = std::make_shared<Batch>(messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
        parts.deliver(std::move(messages[i].request),
                      [batch, i](Delivered outcome) { batch->decide(i, outcome); });
    }
    const auto outcomes = wait_for(queue, *batch, handles);
    std::vector<std::string> kept;
    std::vector<std::string> refused;
    for (std::size_t i = 0; i < handles.size(); ++i) {
        (outcomes[i] == Delivered::kept ? kept : refused).push_back(std::move(handles[i]));
    }
    bool good = refused.empty();
    if (!kept.empty()) {
        auto removed = queue.remove(kept);
        if (removed) {
            metrics.deleted.add(static_cast<double>(removed->done));
        }
        good = settle(std::move(removed), kept.size(), "not_deleted") && good;
    }
    if (!refused.empty()) {
        metrics.failed("refused", refused.size());
        settle(queue.release(refused), refused.size(), "not_released");
    }
    read(got, late, refused.empty());
    if (good) {
        backoff.good();
        return Duration::zero();
    }
    return backoff.failed();
}

std::vector<std::optional<Delivered>> Puller::State::wait_for(
    PullQueue& queue, Batch& batch, const std::vector<std::string>& handles) {
    while (true) {
        std::vector<std::string> open;
        {
            MutexLock lock(batch.mutex);
            if (batch.changed.wait_for(
                    lock, queue.renew_every(),
                    [&]() HELIOS_REQUIRES(batch.mutex) { return batch.open == 0; })) {
                return batch.outcomes;
            }
            for (std::size_t i = 0; i < handles.size(); ++i) {
                if (!batch.outcomes[i]) {
                    open.push_back(handles[i]);
                }
            }
        }
        settle(queue.renew(open), open.size(), "not_renewed");
    }
}

/// False: not all of it was done. It comes again, so nothing is lost.
bool Puller::State::settle(Result<Settled> settled, std::size_t count, std::string_view reason) {
    if (settled && settled->failed == 0) {
        return true;
    }
    metrics.failed(reason, settled ? settled->failed : count);
    if (!settled) {
        failed(settled.error());
        return false;
    }
    parts.telemetry.logger.warn(
        room, "a part of what was fetched stays in its queue for now, and will come again",
        {{"source", parts.source},
         {"reason", reason},
         {"messages", std::uint64_t{settled->failed}},
         {"why", settled->why}});
    return false;
}

/// Said once, until it says something else or it works again.
void Puller::State::failed(const Error& error) {
    metrics.failed(to_string(error.kind));
    const auto at = parts.clock.monotonic();
    const MutexLock lock(mutex);
    failing_since = failing_since.value_or(at);
    const auto said = error.message();
    if (now.last_error != said) {
        parts.telemetry.logger.warn(room, "a queue can't be fetched; trying again",
                                    {{"source", parts.source}, {"error", said}});
        now.last_error = said;
    }
    if (at - *failing_since >= parts.behind_after) {
        returned.reset();
        set_behind(true);
    }
}

/// Whether it has messages that waited for too long.
bool Puller::State::received(const Received& got) {
    const Instant at = parts.clock.wall();
    std::optional<Instant> oldest;
    for (const auto& message : got.messages) {
        if (message.sent && !message.again) {
            oldest = std::min(oldest.value_or(*message.sent), *message.sent);
        }
    }
    const MutexLock lock(mutex);
    if (!now.last_error.empty()) {
        parts.telemetry.logger.info(room, "a queue can be fetched again",
                                    {{"source", parts.source}});
        now.last_error.clear();
    }
    failing_since.reset();
    if (oldest || got.messages.empty()) {
        now.oldest = oldest ? std::max(at - *oldest, Duration::zero()) : Duration::zero();
        metrics.oldest.set(std::chrono::duration<double>(*now.oldest).count());
    }
    const bool late = oldest && at - *oldest > parts.behind_after;
    if (late) {
        ++late_in_hand;
        set_behind(true);
    }
    if (is_behind && !returned) {
        returned = at;
    }
    return late;
}

void Puller::State::read(const Received& got, bool late, bool all_kept) {
    const MutexLock lock(mutex);
    late_in_hand -= late ? 1 : 0;
    if (!is_behind || late || !all_kept || late_in_hand != 0 || !returned) {
        return;
    }
    const bool all_later =
        std::ranges::all_of(got.messages, [&](const auto& m) HELIOS_REQUIRES(mutex) {
            return m.again || (m.sent && *m.sent >= *returned);
        });
    const bool any_new = std::ranges::any_of(got.messages, [](const auto& m) { return !m.again; });
    if (got.drained || (all_later && any_new)) {
        set_behind(false);
    }
}

void Puller::State::set_behind(bool on) {
    if (std::exchange(is_behind, on) != on) {
        returned.reset();
        if (parts.behind) {
            parts.behind(on);
        }
    }
}

void Puller::State::look(const std::stop_token& stops) {
    name_this_thread("pull-lag");
    const auto queue = parts.open(&stop);
    for (; !stops.stop_requested(); pause_for(stops, parts.look_every)) {
        const auto backlog = queue->backlog();
        if (!backlog) {
            if (backlog.error().kind != ErrorKind::stopping) {
                metrics.failed("backlog");
            }
            const MutexLock lock(mutex);
            now.lag.reset();
            continue;
        }
        if (!*backlog) {
            return;  // nor will it ever
        }
        metrics.lag.set(static_cast<double>(**backlog));
        const MutexLock lock(mutex);
        now.lag = *backlog;
    }
}

Puller::Puller(PullParts parts) : state_(std::make_unique<State>(std::move(parts))) {}

Puller::~Puller() {
    stop();
}

void Puller::start() {
    State& state = *state_;
    HELIOS_ASSERT(state.threads.empty(), "a puller starts once");
    for (std::size_t i = 0; i < state.parts.receivers; ++i) {
        state.threads.emplace_back(
            [&state](const std::stop_token& stops) { state.receive(stops); });
    }
    state.threads.emplace_back([&state](const std::stop_token& stops) { state.look(stops); });
}

void Puller::begin_to_stop() {
    state_->stop.store(true);
    for (auto& thread : state_->threads) {
        thread.request_stop();
    }
}

void Puller::stop() {
    begin_to_stop();
    state_->threads.clear();  // joins
}

const std::string& Puller::source() const {
    return state_->parts.source;
}

PullState Puller::state() const {
    const MutexLock lock(state_->mutex);
    return state_->now;
}

}  // namespace helios::sources
