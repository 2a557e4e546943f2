#include "log/scrub.h"

#include <algorithm>

#include "base/pause.h"
#include "log/cursor.h"
#include "log/directory.h"

namespace helios::log {
namespace {

constexpr std::uint64_t read_bytes = 256u << 10;
constexpr std::uint64_t unreadable_step = 4096;  // what a disk gives up at a time
constexpr Duration between_looks = std::chrono::seconds(10);

}  // namespace

Scrub::Scrub(StoredLog& log, const Clock& clock, telemetry::Telemetry& telemetry)
    : log_(log),
      clock_(clock),
      telemetry_(telemetry),
      last_pass_(telemetry.metrics.gauge(
          "helios_log_scrub_last_pass_timestamp_seconds",
          "When the whole log was last read through and verified, Unix time; 0: not yet.")),
      bytes_total_(
          telemetry.metrics.counter("helios_log_scrub_bytes_total",
                                    "Bytes of the log read and verified in the background.")) {}

void Scrub::run(const std::stop_token& stop) {
    const Pause pause = [&](Duration time) {
        while (time > Duration::zero() && !stop.stop_requested()) {
            const Duration slice = std::min(time, between_looks);
            pause_for(stop, slice);
            time -= slice;
            log_.tell_damage();
        }
        return !stop.stop_requested();
    };
    if (!pause(log_.options().scrub_delay)) {
        return;
    }
    for (;;) {
        const Duration began = clock_.monotonic();
        if (!pass(pause)) {
            return;
        }
        telemetry_.logger.info(
            "log", "the whole log was read through",
            {{"bytes", bytes_}, {"damaged_stretches", std::uint64_t{log_.damage().size()}}});
        if (!pause(log_.options().scrub_interval - (clock_.monotonic() - began))) {
            return;
        }
    }
}

bool Scrub::pass(const Pause& pause) {
    began_ = clock_.monotonic();
    bytes_ = 0;
    check_small_files();
    const StoredLog::View view = log_.view();
    for (std::size_t i = 0; i < retention_classes; ++i) {
        if (!walk(log_.journal(static_cast<RetentionClass>(i)), view.ends[i], pause)) {
            return false;
        }
    }
    last_pass_.set(std::chrono::duration<double>(clock_.wall().time_since_epoch()).count());
    return true;
}

void Scrub::check_small_files() {
    const DirectoryPaths paths(log_.options().directory);
    Disk& disk = log_.journal(RetentionClass::data).segments.disk();
    const DamageSink sink = log_.damage_sink();
    const auto check = [&](const std::string& path, std::uint64_t most, const auto& parse) {
        const auto text = read_file(disk, path, most);
        const Status good = text ? parse(*text) : fail(text.error());
        bytes_ += text ? text->size() : 0;
        if (!good) {
            sink({path, 0, text ? text->size() : 1, good.error().what});
        }
    };
    check(paths.format, 64u << 10, [&](const std::string& text) -> Status {
        HELIOS_TRY(parse_format(text, paths.format, false));
        return {};
    });
    check(paths.topics, 8u << 20, [&](const std::string& text) -> Status {
        HELIOS_TRY(parse_topics(text, paths.topics));
        return {};
    });
    if (disk.exists(paths.kept).value_or(false)) {
        check(paths.kept, 1u << 20, [&](const std::string& text) -> Status {
            HELIOS_TRY(parse_kept(text, paths.kept));
            return {};
        });
    }
}

/// After a look: another process may have dropped some.
std::uint64_t Scrub::begin_of(const SegmentTable& segments) {
    static_cast<void>(log_.view());
    return segments.begin();
}

bool Scrub::still_kept(const SegmentTable& segments, const Segment& segment) {
    return segment.base >= begin_of(segments);
}

bool Scrub::walk(JournalView& journal, std::uint64_t end, const Pause& pause) {
    SegmentTable& segments = journal.segments;
    const DamageSink sink = log_.damage_sink();
    const auto all = segments.all();
    if (all.empty()) {
        return true;
    }
    for (const auto& segment : all) {  // those found damaged at open have been told
        const auto header = segments.header(*segment);
        if (segment->header_intact && (!header || !*header) && still_kept(segments, *segment)) {
            sink(damaged_header(*segment));
        }
        if (!keep_pace(segment->header_bytes, pause)) {
            return false;
        }
    }
    JournalCursor cursor(segments, nullptr, read_bytes, sink);
    std::uint64_t at = all.front()->base;
    cursor.seek(at);
    Wanted everything;
    everything.everything = true;
    for (;;) {
        const auto walked = cursor.next(end, everything);
        if (!walked && cursor.position() < begin_of(segments)) {
            at = segments.begin();  // dropped meanwhile
            cursor.seek(at);
            continue;
        }
        if (!walked) {  // not even the disk can read it
            const auto place = segments.find(cursor.position());
            const std::uint64_t bad = cursor.position() - place->segment->base;
            sink({place->segment->path, bad, bad + unreadable_step, walked.error().what});
            cursor.seek(cursor.position() + unreadable_step);
        }
        if (!keep_pace(cursor.position() - std::min(at, cursor.position()), pause)) {
            return false;
        }
        at = std::max(at, cursor.position());
        if (at >= end || (walked && !*walked)) {
            return true;
        }
    }
}

bool Scrub::keep_pace(std::uint64_t bytes, const Pause& pause) {
    bytes_ += bytes;
    bytes_total_.add(static_cast<double>(bytes));
    const double rate = static_cast<double>(log_.options().scrub_bytes_per_second);
    const Duration due = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(static_cast<double>(bytes_) / rate));
    const Duration ahead = due - (clock_.monotonic() - began_);
    constexpr Duration worth_a_pause = std::chrono::milliseconds(20);
    return pause(ahead > worth_a_pause ? ahead : Duration::zero());
}

}  // namespace helios::log
