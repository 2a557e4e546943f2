#pragma once
/// Drops what the log's options let go: of each journal the oldest segments, whole, as far as no
/// hold needs a record in them.
///
/// In this order, so that a start after any stop finds a journal that begins somewhere and is whole
/// from there: `kept` names the new beginnings, durably; readers are shown them; the files go, from
/// the oldest. What a stop leaves of the files below a beginning the next start removes. The
/// segment that is being written is never dropped, and the control journal loses nothing.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "log/cut.h"
#include "log/journal.h"
#include "log/log.h"
#include "log/mark_file.h"
#include "log/stored_log.h"
#include "telemetry/telemetry.h"

namespace helios::log {

/// Thread-safe; a pass at a time. Outlived by its log, journals and mark file.
class Retention {
public:
    using Journals = std::array<Journal*, retention_classes>;  ///< by index_of(retention)

    Retention(StoredLog& log, const Journals& journals, MarkFile& mark, Disk& disk,
              telemetry::Telemetry& telemetry);

    /// What `kept` says; before the first pass.
    void set_kept(KeptJournals kept);
    KeptJournals kept() const;

    /// unavailable: the disk does not let us; then nothing more is dropped.
    Status pass(const std::vector<Hold>& holds);

private:
    /// What a pass would do to one journal.
    struct Plan {
        std::shared_ptr<const Segment> begin;  ///< the first segment to stay; null: nothing goes
        Cut cut;
        std::vector<Kept::Held> held;
    };
    struct Floor {
        const Hold* hold;
        Result<Offsets> offsets;
    };
    struct Candidates;

    Plan plan(RetentionClass retention, const std::vector<Floor>& floors);
    bool passes(const Floor& floor, RetentionClass retention, const Cut::Partitions& before) const;
    void renew(RetentionClass retention);
    void drop(RetentionClass retention, const Plan& plan) HELIOS_REQUIRES(pass_);
    Status remove_files() HELIOS_REQUIRES(pass_);
    void show(const KeptJournals& kept, const std::vector<Hold>& holds);

    StoredLog& log_;
    const Journals journals_;
    MarkFile& mark_;
    Disk& disk_;
    telemetry::Telemetry& telemetry_;
    telemetry::Counter& dropped_bytes_;

    Mutex pass_;
    /// Files of what was dropped may still be there.
    bool to_remove_ HELIOS_GUARDED_BY(pass_) = false;
    mutable Mutex kept_mutex_;
    KeptJournals kept_ HELIOS_GUARDED_BY(kept_mutex_);  ///< changed by a pass alone
};

}  // namespace helios::log
