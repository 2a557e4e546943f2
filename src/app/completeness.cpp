#include "app/completeness.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <iostream>
#include <string_view>
#include <sys/file.h>
#include <unistd.h>
#include <vector>

#include "app/data_directory.h"
#include "app/interrupt.h"
#include "app/numbers.h"
#include "app/screen.h"
#include "base/clock.h"
#include "base/terminal.h"
#include "model/topics.h"
#include "store/dump.h"
#include "store/projector.h"

namespace helios::app {
namespace {

constexpr Duration look_every = std::chrono::milliseconds(20);
constexpr Duration server_keeps_up_in = std::chrono::seconds(1);
constexpr Duration tell_every = std::chrono::milliseconds(250);
constexpr Duration tell_line_every = std::chrono::seconds(5);
constexpr std::size_t records_per_poll = 8192;
constexpr std::size_t bytes_per_poll = 8u << 20;

std::vector<TopicId> inputs_of(Stage stage) {
    std::vector<TopicId> topics;
    switch (stage) {
        case Stage::route:
            topics.assign(model::event_topics.begin(), model::event_topics.end());
            topics.push_back(model::topic::flows);
            break;
        case Stage::engine:
            topics.push_back(model::topic::cases);
            break;
        case Stage::store:
            topics.assign(store::topics_of_the_store().begin(), store::topics_of_the_store().end());
            break;
    }
    return topics;
}

/// How many records can be read in [from, to).
Result<std::uint64_t> count_records(log::Log& log, const log::Offsets& from,
                                    const log::Offsets& to) {
    std::uint64_t count = 0;
    for (const auto& [id, end] : to) {
        const auto begun = from.find(id);
        log::Offsets at{{id, begun == from.end() ? Offset{0} : begun->second}};
        if (at.begin()->second >= end) {
            continue;
        }
        auto opened = log.read(std::move(at));
        if (!opened && opened.error().kind == ErrorKind::not_found) {
            // What has been dropped nobody will take in any more.
            HELIOS_TRY_ASSIGN(auto start, log::log_start(log, {id}));
            opened = log.read(std::move(start));
        }
        if (!opened) {
            return fail(std::move(opened).error());
        }
        const auto reader = *std::move(opened);
        for (bool more = true; more;) {
            HELIOS_TRY_ASSIGN(const auto batch,
                              reader->poll(records_per_poll, bytes_per_poll, Duration::zero()));
            for (const auto& record : batch.records) {
                count += record.at.offset < end ? 1 : 0;
            }
            more = !batch.records.empty() && batch.records.back().at.offset < end;
        }
    }
    return count;
}

Error not_complete(const Backlog& backlog, const std::string& data_dir, Stage last, bool held) {
    std::string what = fmt::format("{} is not complete: {}", data_dir, backlog.text());
    if (held) {
        return {ErrorKind::unavailable, std::move(what),
                "a server is at work there: pass --wait to wait for it"};
    }
    std::string hint =
        "start `helios serve` on this directory and let it catch up, then stop it and try again";
    if (last == Stage::store && backlog.route == 0 && backlog.engine == 0) {
        hint += "; or make the store anew: `helios store rebuild`";
    }
    return {ErrorKind::unavailable, std::move(what), std::move(hint)};
}

/// Where a line can't be rewritten, one now and then.
class Telling {
public:
    explicit Telling(const Environment& environment)
        : terminal_(std::cerr, screen_of(STDERR_FILENO, environment)) {}
    void tell(const Backlog& backlog, Duration now) {
        const auto text = "waiting for the server: " + backlog.text();
        if (terminal_.screen().rewrites) {
            terminal_.progress(text);
        } else if (now - told_ >= tell_line_every) {
            told_ = now;
            terminal_.line(text);
        }
    }

private:
    Terminal terminal_;
    Duration told_ = -tell_line_every;
};

}  // namespace

std::string Backlog::text() const {
    return fmt::format("route is {} records behind, engine {}, store {}", with_thousands(route),
                       with_thousands(engine), with_thousands(store));
}

Completeness::Completeness(log::Log& log, const std::string& data_dir, Stage last)
    : log_(log), data_dir_(data_dir), last_(last), target_(ends_of(Stage::route)) {}

Result<log::Offsets> Completeness::ends_of(Stage stage) const {
    log::Offsets ends;
    const auto topics = inputs_of(stage);
    HELIOS_TRY_ASSIGN(const auto partitions, log_.describe());
    for (const auto& info : partitions) {
        if (info.records > 0 &&
            std::find(topics.begin(), topics.end(), info.id.topic) != topics.end()) {
            ends[info.id] = info.end;
        }
    }
    return ends;
}

Result<log::Offsets> Completeness::consumed(Stage stage) const {
    if (stage == Stage::store) {
        return store::applied_offsets(store_file(data_dir_), store_mode(data_dir_));
    }
    return log_.committed(stage == Stage::route ? "route" : "engine");
}

Status Completeness::look() {
    for (; stage_ <= static_cast<int>(last_);
         ++stage_, target_ = ends_of(static_cast<Stage>(stage_))) {
        HELIOS_TRY(target_);
        HELIOS_TRY_ASSIGN(const auto at, consumed(static_cast<Stage>(stage_)));
        HELIOS_TRY_ASSIGN(const auto left, count_records(log_, at, *target_));
        if (left > 0) {
            return fail(ErrorKind::unavailable, "not yet");
        }
        if (stage_ == static_cast<int>(last_)) {
            return {};
        }
    }
    return {};
}

Result<std::uint64_t> Completeness::behind(Stage stage) const {
    HELIOS_TRY_ASSIGN(const auto at, consumed(stage));
    HELIOS_TRY_ASSIGN(const auto ends, ends_of(stage));
    return count_records(log_, at, ends);
}

Result<Backlog> Completeness::backlog() {
    Backlog backlog;
    HELIOS_TRY_ASSIGN(backlog.route, behind(Stage::route));
    HELIOS_TRY_ASSIGN(backlog.engine, behind(Stage::engine));
    if (last_ == Stage::store) {
        HELIOS_TRY_ASSIGN(backlog.store, behind(Stage::store));
    }
    return backlog;
}

bool is_held(const std::string& data_dir) {
    const int directory = open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return false;
    }
    const bool held = flock(directory, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(directory);
    return held;
}

store::Database::Mode store_mode(const std::string& data_dir) {
    return is_held(data_dir) ? store::Database::Mode::read : store::Database::Mode::still;
}

Status be_complete(log::Log& log, const std::string& data_dir, Stage last, bool wait,
                   const Environment& environment) {
    const SystemClock clock;
    const Interrupt interrupt;
    Completeness completeness(log, data_dir, last);
    Telling telling(environment);
    const Duration began = clock.monotonic();
    Duration told = began;
    while (true) {
        const bool held = is_held(data_dir);  // before the look: a server that ends meanwhile may
                                              // have caught up before it did
        const auto looked = completeness.look();
        if (looked || looked.error().kind != ErrorKind::unavailable) {
            return looked;
        }
        const Duration now = clock.monotonic();
        if (!held && wait) {
            HELIOS_TRY_ASSIGN(const auto backlog, completeness.backlog());
            return fail(ErrorKind::stopping,
                        fmt::format("no server runs on {}, so there is nothing to wait for: {}",
                                    data_dir, backlog.text()),
                        "start `helios serve` on this directory, then try again");
        }
        if (interrupt.raised() || !held || (!wait && now - began >= server_keeps_up_in)) {
            HELIOS_TRY_ASSIGN(const auto backlog, completeness.backlog());
            return fail(not_complete(backlog, data_dir, last, held));
        }
        if (wait && now - told >= tell_every) {
            told = now;
            HELIOS_TRY_ASSIGN(const auto backlog, completeness.backlog());
            telling.tell(backlog, now);
        }
        static_cast<void>(interrupt.wait_for(look_every));
    }
}

}  // namespace helios::app
