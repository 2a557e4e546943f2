#include "log/disk_log.h"

#include <algorithm>
#include <array>
#include <optional>
#include <thread>

#include "base/assert.h"
#include "base/pause.h"
#include "base/thread_name.h"
#include "log/call.h"
#include "log/committer.h"
#include "log/journal.h"
#include "log/mark_file.h"
#include "log/presence.h"
#include "log/reserve.h"
#include "log/retention.h"
#include "log/scrub.h"
#include "log/stored_log.h"

namespace helios::log {
namespace {

/// The log that owns its directory: its journals and the committer that writes them. Thread-safe.
class DiskLog final : public StoredLog {
public:
    DiskLog(const DiskLogOptions& options, Disk& disk, const Clock& clock,
            telemetry::Telemetry& telemetry)
        : StoredLog(options, disk, clock, telemetry),
          presence_(disk, paths_,
                    {&journals_[0].segments, &journals_[1].segments, &journals_[2].segments}),
          reserve_(disk, paths_.reserve, options_.reserve_bytes),
          writing_{Journal(*this, RetentionClass::data, disk, reserve_, telemetry),
                   Journal(*this, RetentionClass::control, disk, reserve_, telemetry),
                   Journal(*this, RetentionClass::health, disk, reserve_, telemetry)},
          committer_(*this, {&writing_[0], &writing_[1], &writing_[2]}, mark_, clock, telemetry),
          retention_(*this, {&writing_[0], &writing_[1], &writing_[2]}, mark_, disk, telemetry),
          scrub_(*this, clock, telemetry) {}

    ~DiskLog() override {
        if (!committer_.started()) {
            return;
        }
        scrubber_.request_stop();
        close();
        if (scrubber_.joinable()) {
            scrubber_.join();
        }
        committer_.stop();
        for (Journal& journal : writing_) {
            journal.finish();
        }
        committer_.write_mark();
        if (const auto synced = mark_.sync(); !synced) {
            telemetry_.logger.warn("log",
                                   "the durable mark was not written; the next start finds the end "
                                   "from the groups",
                                   {{"what", synced.error().what}});
        }
    }

    /// Recovers what the last life left, then starts the threads.
    Status open(const std::vector<TopicSpec>& topics) {
        HELIOS_TRY(take_directory(topics));
        HELIOS_TRY(recover_journals());
        HELIOS_TRY(begin_journals());
        HELIOS_TRY(presence_.check());  // what is there now is what must stay
        committer_.start();
        if (options_.scrub_interval > Duration::zero()) {
            scrubber_ = std::jthread([this](const std::stop_token& stop) {
                name_this_thread("scrub");
                scrub_.run(stop);
            });
        }
        return {};
    }

    void append(std::vector<Record> records, AppendDone done) override {
        committer_.enqueue(make_append(*this, std::move(records), std::move(done)));
    }
    void transact(std::vector<Record> outputs, GroupOffsets offsets, TransactDone done) override {
        committer_.enqueue(
            make_transact(*this, std::move(outputs), std::move(offsets), std::move(done)));
    }

    Instant low_watermark() override { return committer_.watermark(lock()); }
    Instant now() override { return committer_.log_time(lock()); }
    Instant last_log_time() override { return committer_.last_durable(lock()); }
    void show_life(const SignOfLife& sign) override { mark_.show_life(sign); }
    SignOfLife last_sign_of_life() override { return life_at_open_; }

    Status check_files() override {
        Status found = presence_.check();
        return committer_.note_files(lock(), std::move(found));
    }

    Status health() override {
        const Locked held = lock();
        if (const auto& lost = committer_.lost(held)) {
            return fail(*lost);
        }
        for (const Journal& journal : writing_) {
            if (const auto& trouble = journal.status(held).trouble) {
                return fail(*trouble);
            }
        }
        return {};
    }

    View view() override {
        const Locked held = lock();
        return {ends(held), committer_.watermark(held), closing(held)};
    }

    void wait(ReaderSignal& signal, Duration wait) override {
        Locked held = lock();
        const Duration bounded = std::min<Duration>(wait, std::chrono::hours(1));
        signal.wakeup.wait_for(held, bounded,
                               [&] { return signal.published || signal.woken || closing(held); });
    }

    void keep(std::vector<Hold> holds) override {
        HELIOS_ASSERT(!keeping_, "what holds retention back is said once");
        holds_ = std::move(holds);
        keeping_ = true;
        if (options_.keep_interval > Duration::zero()) {
            keeper_ = std::jthread([this](const std::stop_token& stop) {
                name_this_thread("retention");
                while (!stop.stop_requested()) {
                    tell_pass(drop_expired());
                    pause_for(stop, options_.keep_interval);
                }
            });
        }
    }

    Status drop_expired() override {
        HELIOS_ASSERT(keeping_, "nothing is dropped before it is known who needs it");
        {
            const Locked held = lock();
            if (const auto& lost = committer_.lost(held)) {
                return fail(*lost);  // they may be somebody else's files
            }
        }
        return retention_.pass(holds_);
    }

    std::vector<Kept> kept() override {
        const KeptJournals now = retention_.kept();
        return {now.begin(), now.end()};
    }

    void close() override {
        if (keeper_.joinable()) {
            keeper_.request_stop();
            keeper_.join();
        }
        Locked held = lock();
        closing_.with(held) = true;
        announce(held, ~std::uint64_t{0});
        committer_.drain(held);
    }

private:
    Status take_directory(const std::vector<TopicSpec>& topics);
    Status recover_journals();
    Status begin_journals();
    Status take_kept();
    void tell_pass(const Status& passed);

    std::optional<DirectoryLocks> locks_;
    Presence presence_;
    Reserve reserve_;
    std::array<Journal, retention_classes> writing_;  ///< by index_of(retention)
    MarkFile mark_;
    Committer committer_;
    SignOfLife life_at_open_;  ///< fixed after opening
    Retention retention_;
    std::vector<Hold> holds_;  ///< fixed once keeping_
    bool keeping_ = false;
    Status last_pass_;  ///< the keeper's own
    std::jthread keeper_;
    Scrub scrub_;
    std::jthread scrubber_;
};

Status DiskLog::take_directory(const std::vector<TopicSpec>& topics) {
    HELIOS_TRY(check_directory(disk_, paths_,
                               options_.partitions));  // a refusal must not even make a directory
    HELIOS_TRY(disk_.make_directories(paths_.root));
    HELIOS_TRY_ASSIGN(locks_, DirectoryLocks::take(disk_, paths_, options_.folders));
    HELIOS_TRY(check_directory(
        disk_, paths_, options_.partitions));  // once more: another may have had it until now
    static_cast<void>(locks_->sign(paths_));   // a full disk lacks the name; the lock holds
    HELIOS_TRY(claim_directory(disk_, paths_, options_.partitions));
    HELIOS_TRY_ASSIGN(auto all_topics, claim_topics(disk_, paths_, options_.partitions, topics));
    set_topics(std::move(all_topics));
    HELIOS_TRY_ASSIGN(const auto text, read_file(disk_, paths_.format, 64u << 10));
    HELIOS_TRY_ASSIGN(const auto format, parse_format(text, paths_.format, true));
    set_id(format.id);
    return {};
}

Status DiskLog::recover_journals() {
    HELIOS_TRY_ASSIGN(const format::Mark left, mark_.open(disk_, paths_.mark, damage_sink()));
    life_at_open_ = {left.alive, left.absent};
    HELIOS_TRY(take_kept());
    const KeptJournals kept = retention_.kept();
    for (std::size_t i = 0; i < writing_.size(); ++i) {
        HELIOS_TRY(writing_[i].recover(left.journals[i].end, kept[i]));
        mark_.drop(static_cast<RetentionClass>(i), kept[i].begin.value);
    }
    const Instant durable = last_time(lock());
    // What a reader in another process was told is complete must stay so.
    const Instant last = std::max({durable, left.last_time, left.watermark, left.alive});
    const Instant wall = clock_.wall();
    if (wall + std::chrono::seconds(1) < last) {
        telemetry_.logger.warn("log",
                               "the wall clock is behind the log; log time goes on from the log",
                               {{"wall", format_rfc3339(wall)}, {"log", format_rfc3339(last)}});
    }
    committer_.set_time(last, durable);
    return {};
}

// Damaged, it is told, and what stands in the directory is what is kept.
Status DiskLog::take_kept() {
    auto kept = read_kept(disk_, paths_.kept);
    if (!kept) {
        if (kept.error().kind != ErrorKind::corrupt) {
            return fail(std::move(kept).error());
        }
        note_damage({paths_.kept, 0, 1, kept.error().what});
        for (JournalView& view : journals_) {
            HELIOS_TRY(view.segments.load());
        }
        kept = begins_as_found(journals_);
    }
    retention_.set_kept(*std::move(kept));
    return {};
}

void DiskLog::tell_pass(const Status& passed) {
    if (!passed && (last_pass_ || last_pass_.error().what != passed.error().what)) {
        telemetry_.logger.warn("log", "what is past retention can't be dropped",
                               {{"what", passed.error().what}, {"hint", passed.error().hint}});
    }
    last_pass_ = passed;
}

Status DiskLog::begin_journals() {
    for (Journal& journal : writing_) {
        HELIOS_TRY(journal.begin(now()));
    }
    committer_.write_mark();
    HELIOS_TRY(mark_.sync());
    HELIOS_TRY(disk_.sync_directory(paths_.log));
    static_cast<void>(reserve_.make());
    if (options_.reserve_bytes > 0 && !reserve_.is_there()) {
        telemetry_.logger.warn("log",
                               "no space for the reserve that lets stages finish on a full disk",
                               {{"reserve_bytes", options_.reserve_bytes}});
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Log>> open_disk_log(const DiskLogOptions& options,
                                           std::vector<TopicSpec> topics, Disk& disk,
                                           const Clock& clock, telemetry::Telemetry& telemetry) {
    HELIOS_TRY(options.validate());
    auto log = std::make_unique<DiskLog>(options, disk, clock, telemetry);
    HELIOS_TRY(log->open(topics));
    return log;
}

}  // namespace helios::log
