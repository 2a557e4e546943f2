#pragma once
/// A reader over the journals of a StoredLog: merges what is visible of them by log time.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "log/cursor.h"
#include "log/log.h"
#include "log/stored_log.h"

namespace helios::log {

/// One thread, but for wake(). Must not outlive its log.
class DiskReader final : public Reader {
public:
    /// `from` names known partitions only. `starts`: where to begin in each journal.
    DiskReader(StoredLog& log, Offsets from,
               const std::array<std::uint64_t, retention_classes>& starts);
    ~DiskReader() override;
    DiskReader(const DiskReader&) = delete;
    DiskReader& operator=(const DiskReader&) = delete;

    Result<Batch> poll(std::size_t max_records, std::size_t max_bytes, Duration wait) override;
    const Offsets& position() const override { return position_; }
    void wake() override { log_.wake(signal_); }

private:
    struct Source {
        Source(StoredLog& log, RetentionClass of);
        RetentionClass retention;
        JournalCursor cursor;
        Wanted wanted;
        bool used = false;
        /// Its partitions may end behind their position without a record in between: one that was
        /// damaged, or the rest of one that `from` lies in.
        bool unsettled = true;
        std::optional<Walked> ahead;  ///< read, not yet delivered
    };
    Status fill(Batch& batch, const StoredLog::View& view, std::size_t max_records,
                std::size_t max_bytes);
    Status look_ahead(Source& source, std::uint64_t end);
    void stand_at_ends(Source& source);
    Status pass_over_dropped(Source& source, const Error& why);
    void deliver(Batch& batch, Source& source);
    Offset* next_of(const format::Frame& frame);

    StoredLog& log_;
    Offsets position_;
    std::vector<std::vector<Offset*>>
        next_;  ///< into position_, by topic id and partition; null: not ours
    std::array<Source, retention_classes> sources_;  ///< by index_of(retention)
    ReaderSignal signal_;
    Offsets ends_;  ///< as of the current poll; empty: nobody asked
    Instant complete_below_{};
};

}  // namespace helios::log
