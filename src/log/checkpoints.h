#pragma once
/// One partition's folder of checkpoints: what stands in it, and how they come and go. The order of
/// its steps is what a crash relies on; what the files hold it doesn't know.
///
/// `<offset>/` is whole or damaged, never unfinished: it is made as `<offset>.new/` and renamed.
/// `<offset>.old/` is being removed; `<offset>.bad/` was rejected; `live/` (after a failed write
/// `live.1/` and so on) is what the State works on, and is worth nothing after it. The two newest
/// good ones are kept; what can't be used stays until a good one stands at its offset or beyond.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "log/checkpoint_file.h"
#include "log/disk.h"
#include "log/state.h"

namespace helios::log {

/// kept_from: thread-safe. All else: one thread at a time.
class Checkpoints {
public:
    using AfterStep = std::function<Status(std::string_view)>;

    Checkpoints(Disk& disk, std::string directory, LogId log, std::string topic,
                std::uint32_t partition, AfterStep after_step)
        : disk_(disk),
          directory_(std::move(directory)),
          log_(log),
          topic_(std::move(topic)),
          partition_(partition),
          after_step_(std::move(after_step)) {}

    // ---- at open

    /// Makes the folder; removes `live/` and what is half-made.
    Status clean();
    /// Offsets of those that stand there, good or not, highest first.
    Result<std::vector<Offset>> list();
    /// Why it can't be used, or what it says. corrupt: damaged, or of a newer version. conflict: of
    /// another data directory or partition.
    Result<CheckpointContent> check(Offset at);
    /// A new `live/` with this one's files, absent: without any; the earlier one stays. Its path.
    /// unavailable: the disk does not let us.
    Result<std::string> make_live(const std::optional<CheckpointContent>& content);
    /// The State begins from this one; of those below it the newest good one is kept too. Absent:
    /// it begins empty.
    Status begin_from(std::optional<Offset> at);

    // ---- a new one

    /// Where its files are to be made; nothing stands there.
    Result<std::string> make_room(Offset at);
    /// What was made there is not to become a checkpoint.
    void give_up();
    /// The files are there, the tables durably: syncs the others, describes all, gives them their
    /// name. Durable when it returns.
    Status finish(const CheckpointHeader& header);
    /// All but the two newest good ones, and bad ones that have been overtaken. What can't be
    /// removed is tried again next time.
    void remove_overtaken();

    // ---- at any time

    /// The newest good one is not to be used again.
    Status reject();
    std::optional<Offset> newest() const;
    std::optional<Offset> kept_from() const;
    std::string path_of(Offset at) const { return directory_ + "/" + std::to_string(at.value); }
    Disk& disk() const { return disk_; }
    /// A folder and all that is in it.
    Status remove(const std::string& path) const;
    /// Tells the test that this step is done.
    Status after(std::string_view step) const { return after_step_ ? after_step_(step) : Status{}; }

private:
    Status remove_unfinished();
    Status remove_live();
    Status fill_live(const std::string& path, const std::optional<CheckpointContent>& content);
    Status check_file(const std::string& in, const CheckpointFile& file);
    Result<std::vector<CheckpointFile>> describe(const std::string& in);

    Disk& disk_;
    const std::string directory_;
    const LogId log_;
    const std::string topic_;
    const std::uint32_t partition_;
    const AfterStep after_step_;
    std::uint64_t lives_ = 0;  ///< made since clean()
    mutable Mutex mutex_;
    std::vector<Offset> good_ HELIOS_GUARDED_BY(mutex_);  ///< at most two, in order
};

}  // namespace helios::log
