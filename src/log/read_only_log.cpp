#include <algorithm>
#include <fmt/format.h>

#include "base/mutex.h"
#include "log/disk_log.h"
#include "log/stored_log.h"

namespace helios::log {
namespace {

/// A log that another process writes, or has written. It trusts the mark file, and before the first
/// look also what group headers say; figures are caught up when somebody asks.
class ReadOnlyLog final : public StoredLog {
public:
    ReadOnlyLog(const DiskLogOptions& options, Disk& disk, const Clock& clock,
                telemetry::Telemetry& telemetry)
        : StoredLog(options, disk, clock, telemetry) {}

    Status open(const std::vector<TopicSpec>& specs) {
        auto format = read_file(disk_, paths_.format, 64u << 10);
        if (!format) {
            if (format.error().kind != ErrorKind::not_found) {
                return fail(std::move(format).error());
            }
            return fail(ErrorKind::not_found,
                        fmt::format("{} is not a Helios data directory: it has no FORMAT file",
                                    paths_.root),
                        "name the directory that the server was started with");
        }
        HELIOS_TRY_ASSIGN(const auto parsed_format, parse_format(*format, paths_.format, false));
        set_id(parsed_format.id);
        HELIOS_TRY_ASSIGN(const std::string topics, read_file(disk_, paths_.topics, 8u << 20));
        HELIOS_TRY_ASSIGN(auto parsed, parse_topics(topics, paths_.topics));
        number_topics(parsed, specs);
        set_topics(std::move(parsed));
        const format::Mark mark = read_mark().value_or(format::Mark{});
        for (JournalView& journal : journals_) {
            HELIOS_TRY(journal.segments.load());
        }
        // After the files were listed: what is missing there because it was dropped stands in it.
        HELIOS_TRY_ASSIGN(const KeptJournals kept, look_at_kept());
        for (std::size_t i = 0; i < journals_.size(); ++i) {
            HELIOS_TRY(open_journal(journals_[i], mark.journals[i].end, kept[i]));
        }
        const Locked held = lock();
        followed_.with(held) = {mark, std::max(mark.watermark, last_time(held) + log_time_grain)};
        return {};
    }

    void append(std::vector<Record> records, AppendDone done) override {
        const std::vector<AppendOutcome> outcomes(records.size(), AppendOutcome(fail(refusal())));
        done(outcomes);
    }
    void transact(std::vector<Record>, GroupOffsets, TransactDone done) override {
        done(fail(refusal()));
    }

    Instant low_watermark() override { return view().watermark; }
    Instant now() override { return low_watermark(); }
    void show_life(const SignOfLife&) override {}
    SignOfLife last_sign_of_life() override {
        const auto mark = read_mark().value_or(format::Mark{});
        return {mark.alive, mark.absent};
    }
    Instant last_log_time() override {
        catch_up();
        return last_time(lock());
    }
    Status health() override { return {}; }

    /// As the writer's last pass left it.
    std::vector<Kept> kept() override {
        const auto now = read_kept(disk_, paths_.kept);
        return now ? std::vector<Kept>(now->begin(), now->end()) : std::vector<Kept>();
    }

    View view() override {
        const auto mark = read_mark();
        const Locked held = lock();
        Followed& followed = followed_.with(held);
        if (mark && mark->sequence != followed.mark.sequence) {
            follow(held, *mark);
        }
        return {ends(held), followed.watermark, closing(held)};
    }

    // No other process can wake us: look at the mark now and then.
    void wait(ReaderSignal& signal, Duration wait) override {
        Duration left = std::min<Duration>(wait, std::chrono::hours(1));
        while (left > Duration::zero()) {
            const Duration slice = std::min(left, options_.follow_interval);
            {
                Locked held = lock();
                if (signal.wakeup.wait_for(held, slice,
                                           [&] { return signal.woken || closing(held); })) {
                    return;
                }
            }
            left -= slice;
            const auto mark = read_mark();
            const Locked held = lock();
            if (mark && mark->sequence != followed_.with(held).mark.sequence) {
                return;
            }
        }
    }

    void close() override {
        const Locked held = lock();
        closing_.with(held) = true;
        announce(held, ~std::uint64_t{0});
    }

protected:
    void catch_up() override {
        const View now = view();
        const MutexLock once(catching_up_);
        for (std::size_t i = 0; i < journals_.size(); ++i) {
            catch_up(journals_[i], now.ends[i]);
        }
    }

private:
    static Error refusal() {
        return {ErrorKind::denied, "this log is open for reading only",
                "append through the server that owns the data directory"};
    }

    /// Damaged, it is told, and what stands in the directory is what is kept.
    Result<KeptJournals> look_at_kept() {
        auto kept = read_kept(disk_, paths_.kept);
        if (kept || kept.error().kind != ErrorKind::corrupt) {
            return kept;
        }
        note_damage({paths_.kept, 0, 1, kept.error().what});
        return begins_as_found(journals_);
    }

    Status open_journal(JournalView& journal, std::uint64_t mark_end, const Kept& kept) {
        journal.segments.drop_below(kept.begin.value);
        journal.cut = cut_at(journal.segments, kept.begin.value, kept.dropped_until);
        HELIOS_TRY_ASSIGN(Recovered found, recover(journal.segments, mark_end, true,
                                                   options_.read_ahead_bytes, damage_sink()));
        journal.state = std::move(found.state);
        journal.end = std::max(found.end, mark_end);
        journal.known_to = journal.end;
        return {};
    }

    /// nullopt: none, or damaged.
    std::optional<format::Mark> read_mark() {
        const MutexLock lock(mark_mutex_);
        if (!mark_file_) {
            auto file = disk_.open(paths_.mark, OpenMode::read);
            if (!file) {
                return std::nullopt;
            }
            mark_file_ = std::move(*file);
        }
        const auto mark = log::read_mark(*mark_file_, paths_.mark, damage_sink());
        return mark ? *mark : std::nullopt;
    }

    void follow(const Locked& held, const format::Mark& mark) {
        Followed& followed = followed_.with(held);
        for (std::size_t i = 0; i < journals_.size(); ++i) {
            JournalView& journal = journals_[i];
            const format::Mark::Journal& now = mark.journals[i];
            const auto all = journal.segments.all();
            const bool empty =
                all.empty() ||
                journal.end <=
                    all.back()
                        ->begin();  // then it may have been replaced by the writer's next life
            if ((now.segment_base != followed.mark.journals[i].segment_base || empty) &&
                !journal.segments.load()) {
                return;  // looked at again next time
            }
            journal.end = std::max(journal.end, now.end);
            cut(held, journal, now.begin);
        }
        followed.watermark = std::max(followed.watermark, mark.watermark);
        followed.mark = mark;
    }

    // What was dropped before it was caught up with is known from the header.
    void cut(const Locked&, JournalView& journal, std::uint64_t begin) {
        if (begin <= journal.cut.begin) {
            return;
        }
        for (const std::string& path : journal.segments.drop_below(begin)) {
            forget_damage(path);
        }
        journal.cut = cut_at(journal.segments, begin, journal.cut.until);
        if (journal.known_to >= begin) {
            return;
        }
        journal.known_to = begin;
        if (const auto place = journal.segments.find(begin)) {
            if (auto header = journal.segments.header(*place->segment); header && *header) {
                journal.state = std::move((*header)->snapshot);
            }
        }
    }

    // known_to changes here and with a cut, here by one thread at a time.
    void catch_up(JournalView& journal, std::uint64_t end) {
        if (journal.known_to >= end) {
            return;
        }
        JournalCursor cursor(journal.segments, nullptr, options_.read_ahead_bytes, damage_sink());
        cursor.seek(journal.known_to);
        Wanted all;
        all.everything = true;
        for (;;) {
            auto walked = cursor.next(end, all);
            if (!walked) {
                return;  // the next caller goes on from known_to
            }
            const Locked held = lock();
            if (*walked && (*walked)->frame.position < journal.known_to) {
                return;  // a cut went past us
            }
            journal.known_to = std::max(journal.known_to, *walked ? cursor.position() : end);
            if (!*walked) {
                return;
            }
            apply_frame(journal.state, (*walked)->frame, (*walked)->bytes);
        }
    }

    /// How far the writer is followed.
    struct Followed {
        format::Mark mark;
        Instant watermark{};
    };

    Mutex mark_mutex_;
    std::unique_ptr<File> mark_file_ HELIOS_GUARDED_BY(mark_mutex_);
    Guarded<Followed> followed_;
    Mutex catching_up_;
};

}  // namespace

Result<std::unique_ptr<Log>> open_read_only(const DiskLogOptions& options,
                                            const std::vector<TopicSpec>& topics, Disk& disk,
                                            const Clock& clock, telemetry::Telemetry& telemetry) {
    HELIOS_TRY(options.validate());
    auto log = std::make_unique<ReadOnlyLog>(options, disk, clock, telemetry);
    HELIOS_TRY(log->open(topics));
    return log;
}

}  // namespace helios::log
