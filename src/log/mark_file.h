#pragma once
/// The mark file as its writer sees it: how far everything is durable, and until when this process
/// lived.
///
/// Written in place, so it needs no space, and unsynced: a lost write leaves it too low, which is
/// safe, and the next group's header says the same.

#include <array>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "log/disk.h"
#include "log/format.h"
#include "log/log.h"
#include "log/recovery.h"

namespace helios::log {

/// Thread-safe once open. Its mutex is a leaf: nothing is locked under it.
class MarkFile {
public:
    /// What the committer says with each round.
    struct Durable {
        struct Journal {
            std::uint64_t end = 0;
            std::uint64_t segment_base = 0;
        };
        std::array<Journal, retention_classes> journals;  ///< by retention class
        Instant watermark{};
        Instant last_time{};
    };

    /// Takes the file over; the answer is what the last life left there, all zero if nothing or if
    /// it is damaged, which the sink is told.
    Result<format::Mark> open(Disk& disk, const std::string& path, const DamageSink& sink);

    /// By one thread, so that it never goes backwards.
    void write(const Durable& durable);
    /// Everything of that journal below `begin` has been dropped.
    void drop(RetentionClass retention, std::uint64_t begin);
    /// Synced if it says `absent` and the one before did not.
    void show_life(const SignOfLife& sign);
    Status sync() { return file_->sync(); }

private:
    void put() HELIOS_REQUIRES(mutex_);

    std::unique_ptr<File> file_;  ///< fixed after opening
    Mutex mutex_;
    format::Mark mark_ HELIOS_GUARDED_BY(mutex_);
};

}  // namespace helios::log
