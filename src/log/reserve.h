#pragma once
/// Space set aside so that stages can finish on a full disk: one file, given back to the file
/// system when transactions need the space. Both journals share it.

#include <cstdint>
#include <string>

#include "log/disk.h"

namespace helios::log {

/// The committer's thread alone; before it starts, whoever opens the log. Outlived by its disk.
class Reserve {
public:
    /// `bytes` 0: none, ever.
    Reserve(Disk& disk, std::string path, std::uint64_t bytes)
        : disk_(disk), path_(std::move(path)), bytes_(bytes) {}

    /// Sets the space aside, unless it is already. exhausted: there is none; nothing is left
    /// behind.
    Status make();
    /// Gives the space back. False: there was nothing to give.
    bool give();

    bool is_there() const { return is_there_; }

private:
    Disk& disk_;
    const std::string path_;
    const std::uint64_t bytes_;
    bool is_there_ = false;
};

}  // namespace helios::log
