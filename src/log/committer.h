#pragma once
/// The writing half of a log on disk: one thread that turns whatever calls are waiting into one
/// group, one write and one fsync.
///
/// Natural group commit: while one group is being synced the next one gathers; there is no timer.
/// Per journal and round: stamp, build, write, sync, publish, mark, answer, in this order.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "log/journal_writer.h"
#include "log/log_clock.h"
#include "log/presence.h"
#include "log/scrub.h"
#include "log/stored_log.h"

namespace helios::log {

/// Thread-safe. See log/disk_log.h.
class DiskLog final : public StoredLog {
public:
    static Result<std::unique_ptr<Log>> open(const DiskLogOptions& options,
                                             std::vector<TopicSpec> topics, Disk& disk,
                                             const Clock& clock, telemetry::Telemetry& telemetry);
    ~DiskLog() override;

    void append(std::vector<Record> records, AppendDone done) override;
    void transact(std::vector<Record> outputs, GroupOffsets offsets, TransactDone done) override;
    Instant low_watermark() override;
    Instant now() override;
    void show_life(const SignOfLife& sign) override;
    SignOfLife last_sign_of_life() override { return life_at_open_; }
    Instant last_log_time() override;
    Status health() override;
    Status check_files() override;
    void close() override;

    View view() override;
    void wait(ReaderSignal& signal, Duration wait) override;

private:
    /// Where one record goes, and how it went.
    struct Slot {
        const Topic* topic = nullptr;  ///< null: rejected
        std::uint32_t partition = 0;
        std::uint64_t position = 0;
        Instant log_time{};
    };
    struct Call {
        std::vector<Record> records;
        std::vector<Slot> slots;
        std::map<std::size_t, Error> rejected;  ///< records that can never be appended, by index
        std::optional<Error> refused;           ///< the whole call
        AppendDone append_done;
        TransactDone transact_done;
        std::string group;  ///< of a transaction
        std::map<format::PartitionKey, std::uint64_t> from, to;
        std::string offsets_value;
        Instant offsets_time{};
        std::uint64_t bytes = 0;
        Duration arrived{};
        RetentionClass retention = RetentionClass::data;  ///< of a transaction
        bool is_transact() const { return static_cast<bool>(transact_done); }
    };
    /// One journal's writing side.
    struct Half {
        Half(Disk& disk, JournalView& journal, const DiskLogOptions& options, RetentionClass of)
            : retention(of),
              index(of == RetentionClass::data ? 0 : 1),
              view(journal),
              writer(disk, journal.segments, options) {}
        const RetentionClass retention;
        const std::size_t index;
        JournalView& view;
        JournalWriter writer;
        std::optional<Error> trouble;           ///< guarded by mutex_; why the last attempt failed
        std::optional<Instant> unsettled_from;  ///< guarded by mutex_; a failed group may still lie
                                                ///< behind the end, stamped from here on
        bool full = false;                      ///< only transactions are admitted
        Duration next_try{};                    ///< monotonic; while in trouble
    };
    struct Round;

    DiskLog(const DiskLogOptions& options, Disk& disk, const Clock& clock,
            telemetry::Telemetry& telemetry);
    Status recover_directory(const std::vector<TopicSpec>& topics);
    Status recover_journal(Half& half, std::uint64_t mark_end);
    Status make_reserve();

    void enqueue(Call call);
    void refuse(Call call, Error error);
    bool place_records(Call& call);
    Result<std::map<format::PartitionKey, std::uint64_t>> place_offsets(
        const Offsets& offsets) const;

    void run();
    bool take(Round& round);
    bool admit(Call& call, Round& round);
    void stamp(Round& round);
    void commit(Half& half, Round& round);
    Status make_room(Half& half, Round& round);
    Status use_reserve(Half& half, std::uint64_t bytes);
    bool space_is_back(Half& half);
    void retry(Half& half);
    std::shared_ptr<const std::string> build(Half& half, Round& round);
    void publish(Round& round);
    void set_trouble(Half& half, std::optional<Error> trouble);
    void settle(Half& half);
    void write_mark();
    void put_mark();
    void answer(Round& round);
    void answer_call(Round& round, Call& call);
    const Error* failure(const Round& round, const Call& call, RetentionClass retention) const;
    Instant watermark();  ///< mutex_ is held
    Error disk_full(const Error& cause);
    void lose(const Error& error);

    Half data_half_;
    Half control_half_;
    std::optional<DirectoryLocks> locks_;
    std::unique_ptr<File> mark_file_;
    std::mutex mark_mutex_;  ///< before mutex_; of what is written to the mark file
    format::Mark mark_;
    SignOfLife life_at_open_;
    bool reserve_there_ = false;
    Presence presence_;

    // Guarded by mutex_.
    std::optional<LogClock> log_clock_;
    std::deque<Call> queue_;
    std::uint64_t pending_bytes_ = 0;
    std::uint64_t pending_records_ = 0;
    std::optional<Instant> round_first_;  ///< least stamp of the group being written
    Instant last_durable_{};
    std::optional<Error> lost_;  ///< the files are not there any more: nothing is taken in
    bool deleted_ = false;       ///< and part of the log with them, for good
    bool busy_ = false;
    bool stop_ = false;
    std::condition_variable arrived_;
    std::condition_variable drained_;

    telemetry::Counter& appended_records_;
    telemetry::Counter& appended_bytes_;
    telemetry::Counter& syncs_;
    telemetry::Counter& failures_;
    telemetry::Counter& refusals_;
    telemetry::Histogram& group_records_;
    telemetry::Histogram& append_seconds_;
    telemetry::Gauge& pending_gauge_;
    std::thread thread_;
    Scrub scrub_;
    std::jthread scrubber_;
};

}  // namespace helios::log
